import { siteKey } from "../analysis/sites.ts";
import { plainText } from "../lib/text.ts";
import type { Frame } from "../recording/model.ts";

/** Longer names are cut; the reader has cut them before. */
const NAME_LIMIT = 500;
const FILE_LIMIT = 2000;

/** A frame as exports name it: printable text, because some of their readers print to terminals. */
export type NamedFrame = Pick<Frame, "function" | "file" | "line" | "column" | "origin">;

/** Numbers frames, from 0 on; equal ones have one number. */
export class FrameTable {
  readonly frames: NamedFrame[] = [];
  readonly #numbers = new Map<string, number>();
  /** Most stacks are made of few frames: asking by the object is faster than by its text. */
  readonly #ofFrame = new Map<Frame, number>();

  numberOf(frame: Frame): number {
    const known = this.#ofFrame.get(frame);
    if (known !== undefined) return known;
    const { line, column, origin } = frame;
    const name = plainText(frame.function, NAME_LIMIT) || "(anonymous)";
    const named = { function: name, file: plainText(frame.file, FILE_LIMIT), line, column, origin };
    const key = siteKey(named);
    const number = this.#numbers.get(key) ?? this.frames.push(named) - 1;
    this.#numbers.set(key, number);
    this.#ofFrame.set(frame, number);
    return number;
  }
}
