/** Tells a flight recorder that is attached, and no parent of the program, with which exit code the program ends. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXITED_FILE } from "../recording/spec.ts";
import { changingExitListeners } from "./exit-listeners.ts";
import type { Stop } from "./stop.ts";

/** A program that is killed says nothing. */
export function sayExit(folder: string): Stop {
  const say = (code: number): void => {
    try {
      writeFileSync(join(folder, EXITED_FILE), `${code}\n`);
    } catch {
      // The recorder has gone, and the folder with it.
    }
  };
  changingExitListeners(() => process.on("exit", say));
  return () => {
    changingExitListeners(() => process.off("exit", say));
  };
}
