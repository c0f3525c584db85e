/** The JavaScript that loads the agent into an isolate that runs already. */
import { fileURLToPath } from "node:url";

/**
 * An expression for Runtime.evaluate, whose value is an AttachAnswer as JSON. `agent`: path of dist/agent/attach.cjs; `workerName`: ""
 * for a process.
 */
export function attachExpression(agent: string, folder: string, workerName: string): string {
  const [path, into, name] = [agent, folder, workerName].map((text) => JSON.stringify(text));
  return `process.getBuiltinModule("module").createRequire(${path})(${path}).attach(${into}, ${name})`;
}

/** So often a worker is looked at, every ten milliseconds, until it is online. */
const MOST_LOOKS = 500;

/**
 * The expression `attach` for a worker of which nobody knows how far it is: loading a module before Node's own loaders are there would
 * end it. Node puts the name of what it runs into process.argv when they are. Where that is not seen (modules that are evaluated), its
 * event loop tells: the message that brings a worker's script also brings its parentPort. `url`: the worker's script, "" for a text.
 */
export function whenOnline(attach: string, url: string): string {
  return `(() => {
  const attach = () => ${attach};
  const script = process.argv[1];
  if (script === "[worker eval]" || script === ${JSON.stringify(pathOf(url))}) return attach();
  let looks = 0;
  const look = () => {
    if (process.getBuiltinModule("worker_threads").parentPort !== null) attach();
    else if (++looks < ${MOST_LOOKS}) setTimeout(look, 10).unref();
  };
  setImmediate(look);
  return "later";
})()`;
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    // None is "": no script has that path.
    return "/";
  }
}
