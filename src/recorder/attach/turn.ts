/** Several gcspikes that attach to the same process do so one after the other: the first one closes the inspector for all of them. */
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { AttachTarget } from "./target.ts";

/** Who has the turn has as much patience with the process, and loses it when it is killed. */
const PATIENCE_MS = 10_000;
const LOOK_AGAIN_MS = 5;

/** An address of the kernel's, in no file system, which goes with the process that listens there. Nobody connects. */
function listen(address: string): Promise<(() => void) | "taken" | "unknown"> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "EADDRINUSE" ? "taken" : "unknown"));
    server.listen(address, () => resolve(() => server.close()));
  });
}

/** Resolves when it is this gcspike's turn, with what ends it; after some patience, and where the system has no such addresses, anyway. */
export async function takeTurn({ pid, startTicks }: AttachTarget): Promise<() => void> {
  const address = `\0gcspike-attach-${pid}-${startTicks}`;
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const turn = await listen(address);
    if (typeof turn === "function") return turn;
    if (turn === "unknown" || performance.now() > endMs) return () => {};
    await sleep(LOOK_AGAIN_MS);
  }
}
