/** Which function stood at an address at a moment: the .code log, played back. */
import { at, type Clock, numberAt, timeAt } from "./columns.ts";
import { frameOf } from "./frames.ts";
import { eachSizedRecord, type Log, readRecord } from "./log-reader.ts";
import type { Frame } from "./model.ts";
import { CODE, type Warning } from "./spec.ts";

/** V8 makes no function this large; a size beyond it is damage and would hide everything behind it. */
const MAX_CODE_BYTES = 16 * 1024 * 1024;
/** Code moves and is replaced, so that pieces overlap; more than this many at one address are not looked through. */
const MAX_STEPS = 4096;

/** A piece of code. */
export interface CodePiece {
  /** When it came to be. */
  readonly timeMs: number;
  readonly start: number;
  readonly size: number;
  /** Place and length of its record in the log: names are read when they are asked for. */
  readonly place: number;
  readonly length: number;
}

export interface CodeMap {
  /** Pieces that ever covered `address`, oldest first. */
  covering(address: number): readonly CodePiece[];
  frame(piece: CodePiece): Frame;
  readonly warnings: readonly Warning[];
}

export function decodeCode(log: Log, clock: Clock): CodeMap {
  const pieces: CodePiece[] = [];
  const warnings = eachSizedRecord(log, CODE.text, ({ view }, offset, length, place) => {
    const timeMs = timeAt(view, offset + CODE.timeNs, clock);
    const start = numberAt(view, offset + CODE.address);
    const size = view.getUint32(offset + CODE.size, true);
    if (Number.isNaN(timeMs) || Number.isNaN(start) || size > MAX_CODE_BYTES) return;
    pieces.push({ timeMs, start, size, place, length });
  });
  pieces.sort((a, b) => a.start - b.start);
  const reach = furthestEnds(pieces);
  const frames = new Map<CodePiece, Frame>();
  return {
    covering: (address) => coveringPieces(pieces, reach, address),
    frame: (piece) => {
      const frame = frames.get(piece) ?? readFrame(log, piece.place, piece.length);
      frames.set(piece, frame);
      return frame;
    },
    warnings,
  };
}

/** For each piece, the furthest end of all up to it: where looking backwards can stop. */
function furthestEnds(pieces: readonly CodePiece[]): Float64Array {
  let furthest = 0;
  return Float64Array.from(pieces, ({ start, size }) => {
    furthest = Math.max(furthest, start + size);
    return furthest;
  });
}

function coveringPieces(pieces: readonly CodePiece[], reach: Float64Array, address: number): readonly CodePiece[] {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pieces[middle]?.start ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  const found: CodePiece[] = [];
  for (let i = low - 1; i >= 0 && i >= low - MAX_STEPS && at(reach, i) > address; i--) {
    const piece = pieces[i];
    if (piece !== undefined && address < piece.start + piece.size) found.push(piece);
  }
  // Backwards, and stable: of pieces with the same time the one that was written last comes last.
  return found.reverse().sort((a, b) => a.timeMs - b.timeMs);
}

function readFrame(log: Log, place: number, length: number): Frame {
  const record = readRecord(log, place, length);
  if (record === null) return frameOf("", "", 0, 0);
  const { buffer, view } = record;
  const nameEnd = Math.min(length, CODE.text + view.getUint16(CODE.nameBytes, true));
  const scriptEnd = Math.min(length, nameEnd + view.getUint16(CODE.scriptBytes, true));
  return frameOf(
    buffer.toString("utf8", CODE.text, nameEnd),
    buffer.toString("utf8", nameEnd, scriptEnd),
    view.getInt32(CODE.line, true),
    view.getInt32(CODE.column, true),
  );
}
