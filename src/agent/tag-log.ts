/**
 * Writes tags, with a bound to how many: at most some hundred records in a window of 100 ms, however many tags there are, and
 * never more than the file may hold.
 */
import {
  HEADER_BYTES,
  LogKind,
  MAX_LOG_BYTES,
  MAX_TAG_NAME_BYTES,
  MAX_TAG_NAMES,
  TAG_SOURCES,
} from "../recording/spec.ts";
import { encodeTag, encodeTagEnd, encodeTagName, tagEndRecord, tagRecord } from "../recording/tag-records.ts";

/** Appends a record to the isolate's .tags; false where there is no room for it. Never throws. */
export type AppendTag = (record: Uint8Array) => boolean;

/** The name of all that come when a source has had MOST_NAMES: none takes those of the others away. */
export const OTHER_TAGS = "(other)";
export const MOST_NAMES = Math.floor((MAX_TAG_NAMES - 1) / TAG_SOURCES.length);
/** A UTF-16 code unit is at most three bytes of UTF-8. */
const MOST_CHARACTERS = MAX_TAG_NAME_BYTES / 3;

const MOST_BYTES = MAX_LOG_BYTES[LogKind.tags];
/** A window while the file is empty. It grows as the room shrinks, so that tags get fewer and never end. */
const WINDOW_MS = 100;
/** The first of each name are written in a window, however busy it is: of fifty names at least. */
const FIRST_OF_NAME = 4;
const MOST_FIRST = 200;
/** Beyond those one in 1, 2, 4, ... of a name: the step doubles whenever the window has so many more of them. */
const DOUBLED_AFTER = 10;

/** A name, of one source. */
class Name {
  readonly number: number;
  /** The last window in which it came, and how often it did. */
  window = 0;
  count = 0;
  /** How many came since the last that was written. */
  waiting = 0;

  constructor(number: number) {
    this.number = number;
  }
}

export class TagLog {
  readonly #append: AppendTag;
  readonly #nowMs: () => number;
  readonly #originNs: number;
  readonly #isRing: boolean;
  readonly #numbers = new Map<string, number>();
  /** By source. */
  readonly #names: readonly Map<string, Name>[] = TAG_SOURCES.map(() => new Map());
  readonly #record = tagRecord();
  readonly #end = tagEndRecord();
  #tags = 0;
  #room = MOST_BYTES - HEADER_BYTES;
  #window = 0;
  #windowEndMs = Number.NEGATIVE_INFINITY;
  /** Written in this window: as the first of their name, and beyond those. */
  #first = 0;
  #beyond = 0;
  /** Beyond the first one in so many of a name is written. */
  #step = 1;

  /**
   * `nowMs` counts ms from `originNs`, which is a moment on the monotonic clock. A source is an index into TAG_SOURCES. `isRing`: what
   * is written is taken away again, and the room never shrinks.
   */
  constructor(append: AppendTag, nowMs: () => number, originNs: number, isRing = false) {
    this.#append = append;
    this.#nowMs = nowMs;
    this.#originNs = originNs;
    this.#isRing = isRing;
  }

  /** Something that happens now. */
  moment(source: number, name: string): void {
    const nowMs = this.#nowMs();
    this.#add(source, name, nowMs, nowMs, 0);
  }

  /** Something that says itself when it was, which is no later than now. */
  span(source: number, name: string, startMs: number, durationMs: number): void {
    const nowMs = this.#nowMs();
    this.#add(source, name, nowMs, Math.min(startMs, nowMs), Math.max(0, durationMs));
  }

  /** Something that begins now: its number, for `end`; -1 where it is not written. */
  begin(source: number, name: string): number {
    const nowMs = this.#nowMs();
    return this.#add(source, name, nowMs, nowMs, null);
  }

  /** The end of tag number `tag`, and its name where that is known only now. */
  end(source: number, tag: number, name: string | null): void {
    const number = name === null ? null : (this.#nameOf(source, name)?.number ?? null);
    encodeTagEnd(this.#end.view, this.#ns(this.#nowMs()), tag, number);
    this.#write(this.#end.bytes);
  }

  #add(source: number, text: string, nowMs: number, startMs: number, durationMs: number | null): number {
    const name = this.#nameOf(source, text);
    const weight = name === null ? 0 : this.#weightOf(name, nowMs);
    if (name === null || weight === 0) return -1;
    const durationNs = durationMs === null ? null : durationMs * 1e6;
    encodeTag(this.#record.view, source, this.#ns(startMs), durationNs, name.number, weight);
    if (!this.#write(this.#record.bytes)) return -1;
    name.waiting = 0;
    return this.#tags++;
  }

  /** How many the tag stands for that comes now; 0: it is not written. */
  #weightOf(name: Name, nowMs: number): number {
    if (nowMs >= this.#windowEndMs) {
      this.#windowEndMs = nowMs + (WINDOW_MS * MOST_BYTES) / Math.max(1, this.#room);
      this.#window++;
      this.#first = 0;
      this.#beyond = 0;
      this.#step = 1;
    }
    if (name.window !== this.#window) {
      name.window = this.#window;
      name.count = 0;
    }
    name.count++;
    name.waiting++;
    if (name.count <= FIRST_OF_NAME && this.#first < MOST_FIRST) this.#first++;
    else if (name.waiting < this.#step) return 0;
    else if (++this.#beyond % DOUBLED_AFTER === 0) this.#step *= 2;
    return name.waiting;
  }

  /** Null where there is no room to write a new one. */
  #nameOf(source: number, text: string): Name | null {
    const names = this.#names[source];
    if (names === undefined) return null;
    const short = text.length > MOST_CHARACTERS ? text.slice(0, MOST_CHARACTERS) : text;
    const known = names.get(short);
    if (known !== undefined) return known;
    const key = names.size < MOST_NAMES ? copyOf(short) : OTHER_TAGS;
    return names.get(key) ?? this.#newName(names, key);
  }

  #newName(names: Map<string, Name>, key: string): Name | null {
    const number = this.#numberOf(key);
    if (number === null) return null;
    const name = new Name(number);
    names.set(key, name);
    return name;
  }

  /** One number for a name, whatever it is the name of. */
  #numberOf(key: string): number | null {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (!this.#write(encodeTagName(key))) return null;
    const number = this.#numbers.size;
    this.#numbers.set(key, number);
    return number;
  }

  #write(record: Uint8Array): boolean {
    if (record.length > this.#room || !this.#append(record)) return false;
    if (!this.#isRing) this.#room -= record.length;
    return true;
  }

  #ns(ms: number): number {
    return this.#originNs + ms * 1e6;
  }
}

/** A text of its own: what is kept may be a slice of the program's megabytes. */
export function copyOf(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}
