/** Runs what adds listeners for the isolate's end, or takes them away; the program may add as many as ever before Node warns of them. */
export function changingExitListeners<T>(change: () => T): T {
  const before = process.listenerCount("exit");
  try {
    return change();
  } finally {
    const limit = process.getMaxListeners();
    if (limit > 0) process.setMaxListeners(limit + process.listenerCount("exit") - before);
  }
}
