/** The JavaScript that loads the agent into an isolate that runs already. */

/** An expression for Runtime.evaluate, whose value is an AttachAnswer as JSON. `agent`: path of dist/agent/attach.cjs. */
export function attachExpression(agent: string, folder: string): string {
  const [path, into] = [agent, folder].map((text) => JSON.stringify(text));
  return `process.getBuiltinModule("module").createRequire(${path})(${path}).attach(${into})`;
}

/**
 * The same as the source of a function for a worker of which nobody knows how far it is: loading a module before Node's own loaders
 * are there would end it. They are there where code of the program's runs, and when the message that brings the worker's script,
 * and its parentPort first, has been dealt with. Module hooks, whose thread has no parentPort, are left alone. Returns whether the
 * worker need not be asked again.
 */
export function workerFunction(agent: string, folder: string): string {
  return `(runsProgram) => {
  if (process.getBuiltinModule("worker_threads").parentPort === null) return false;
  const attach = () => ${attachExpression(agent, folder)};
  if (runsProgram) attach();
  else setImmediate(attach);
  return true;
}`;
}
