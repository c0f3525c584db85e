/** Runs what adds listeners for the isolate's end; the program may add as many as ever before Node warns of them. */
export function addingExitListeners<T>(add: () => T): T {
  const before = process.listenerCount("exit");
  try {
    return add();
  } finally {
    const limit = process.getMaxListeners();
    if (limit > 0) process.setMaxListeners(limit + process.listenerCount("exit") - before);
  }
}
