/** Takes home-folder prefixes and command-line arguments out of a recording's files, for `--redact`. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { parseObject } from "../recording/manifest.ts";
import { eachField } from "../recording/protobuf.ts";
import { FUNCTION, HEADER, TAG, TAG_NAME, UNTIL_END_OF_FILE } from "../recording/spec.ts";

/** The text with `~` for the home folder, wherever it stands in it. */
export function redactHome(text: string, home: string = homedir()): string {
  return home.length > 1 ? text.replaceAll(home, "~") : text;
}

/** The same in every text of a parsed JSON value. */
function redactValue(value: unknown): unknown {
  if (typeof value === "string") return redactHome(value);
  if (Array.isArray(value)) return value.map(redactValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactValue(item)]));
}

/** execArgv is part of the command line, and the process space holds a number that only this machine has. */
function redactJson(text: string): string {
  const fields = parseObject(text);
  if (fields === null) return "";
  return JSON.stringify(redactValue("execArgv" in fields ? { ...fields, execArgv: [], processSpace: null } : fields));
}

/** Rewrites the names in a .functions log where they stand: what is redacted is shorter, and the record keeps its length. */
export function redactFunctionLog(log: Buffer): void {
  eachRecord(log, FUNCTION.text, redactFunctionRecord);
}

/** The same for the names in a .tags log. */
export function redactTagLog(log: Buffer): void {
  eachRecord(log, TAG.text, (record) => {
    if (record.readUInt16LE(TAG.type) === TAG_NAME) redactTagName(record);
  });
}

/** The committed records of a log whose records begin with their own length; ends where that makes no sense. */
function eachRecord(log: Buffer, minimumBytes: number, redact: (record: Buffer) => void): void {
  if (log.length < HEADER.strings) return;
  const start = log.readUInt32LE(HEADER.headerBytes);
  const committed = log.readBigUInt64LE(HEADER.committedBytes);
  const end = committed === UNTIL_END_OF_FILE ? log.length : Math.min(log.length, start + Number(committed));
  for (let at = start; at + minimumBytes <= end; ) {
    const record = log.subarray(at, at + log.readUInt32LE(at));
    if (record.length < minimumBytes) return;
    redact(record);
    at += record.length;
  }
}

function redactTagName(record: Buffer): void {
  const name = Buffer.from(redactHome(record.toString("utf8", TAG.text, TAG.text + record.readUInt16LE(TAG.length))));
  const fits = name.length <= record.length - TAG.text;
  record.writeUInt16LE(fits ? name.length : 0, TAG.length);
  record.fill(0, TAG.text);
  if (fits) name.copy(record, TAG.text);
}

function redactFunctionRecord(record: Buffer): void {
  const nameEnd = FUNCTION.text + record.readUInt16LE(FUNCTION.nameBytes);
  const scriptEnd = nameEnd + record.readUInt16LE(FUNCTION.scriptBytes);
  const name = Buffer.from(redactHome(record.toString("utf8", FUNCTION.text, nameEnd)));
  const script = Buffer.from(redactHome(record.toString("utf8", nameEnd, scriptEnd)));
  // A name that was cut inside a character may come back longer: then nothing fits, and nothing is kept.
  const fits = name.length + script.length <= record.length - FUNCTION.text;
  record.writeUInt16LE(fits ? name.length : 0, FUNCTION.nameBytes);
  record.writeUInt16LE(fits ? script.length : 0, FUNCTION.scriptBytes);
  record.fill(0, FUNCTION.text);
  if (fits) Buffer.concat([name, script]).copy(record, FUNCTION.text);
}

/** profile.proto: `repeated string string_table = 6`. */
const STRING_TABLE = 6;

/** One entry of the string table: tag, length as a varint, text. */
function stringField(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
    if (rest < 0x80) break;
  }
  return Buffer.concat([Buffer.from([(STRING_TABLE << 3) | 2, ...length]), bytes]);
}

/** All text of a profile stands in its string table; everything else points into it by number. */
function redactPprof(file: Buffer): Buffer {
  const profile = gunzipSync(file);
  const parts: Uint8Array[] = [];
  let copied = 0;
  eachField(profile, 0, profile.length, ({ number, start, end }) => {
    const text = number === STRING_TABLE ? stringField(redactHome(profile.toString("utf8", start, end))) : null;
    parts.push(text ?? profile.subarray(copied, end));
    copied = end;
  });
  return gzipSync(Buffer.concat(parts));
}

function redacted(path: string): Buffer | string | null {
  const file = readFileSync(path);
  if (path.endsWith(".json")) return redactJson(file.toString("utf8"));
  if (path.endsWith(".pb.gz")) return redactPprof(file);
  if (path.endsWith(".functions")) redactFunctionLog(file);
  else if (path.endsWith(".tags")) redactTagLog(file);
  else return null;
  return file;
}

/**
 * Redacts the files in `folder` that hold text of the program, after allocations became pprof. Files of processes that run
 * (`isRunning`) are left alone: they are mapped into them. Throws what the file system throws.
 */
export function redactFolder(folder: string, isRunning: (pid: number) => boolean): void {
  for (const name of readdirSync(folder)) {
    const pid = Number.parseInt(name, 10);
    if (!Number.isNaN(pid) && isRunning(pid)) continue;
    const content = redacted(join(folder, name));
    if (content !== null) writeFileSync(join(folder, name), content);
  }
}
