/**
 * Loads the agent into worker threads that exist already, and into those that this isolate creates later: most programs got hold of
 * the Worker class before gcspike came. An inspector session inside the process reaches them, without a port. It is open only while
 * there is a worker to reach, because Node keeps what a program prints for a session.
 */
import { isMainThread } from "node:worker_threads";
import { attachExpression, whenOnline } from "../recording/attach-expression.ts";
import { builtin } from "./builtin.ts";
import type { Stop } from "./stop.ts";

interface Session {
  connect(): void;
  connectToMainThread(): void;
  disconnect(): void;
  on(event: string, listener: (message: { readonly params: never }) => void): void;
  post(method: string, params?: object, answered?: (error: Error | null) => void): void;
}

interface WorkerInfo {
  readonly sessionId: string;
  readonly workerInfo: {
    /** "[worker 2] name"; Node 24 calls those without a name WorkerThread. */
    readonly title: string;
    /** "" where it evaluates a text. */
    readonly url: string;
  };
}

function threadOf({ workerInfo }: WorkerInfo): number {
  return Number(/^\[worker (\d+)\]/.exec(workerInfo.title)?.[1] ?? Number.NaN);
}

function nameOf({ workerInfo }: WorkerInfo): string {
  const name = workerInfo.title.replace(/^\[worker \d+\] ?/, "");
  return name === "WorkerThread" ? "" : name;
}

class WorkerReach {
  readonly #folder: string;
  readonly #agent: string;
  #session: Session | null = null;
  /** The session has told of all workers that were there when it began. */
  #toldAll = false;
  /** The first session asks workers of which nobody knows how far they are. */
  #isFirst = false;
  readonly #told = new Map<number, WorkerInfo>();
  /** Threads that have begun since, and were not asked yet. */
  readonly #online = new Set<number>();
  /** Sessions of workers that were asked and did not answer yet. */
  readonly #asked = new Set<string>();

  constructor(folder: string, agent: string) {
    this.#folder = folder;
    this.#agent = agent;
  }

  /** Reaches the workers that there are. */
  reachAll(): void {
    this.#open(true);
  }

  /** Node says so of each worker that this isolate creates. What is loaded before it is online keeps it from getting there. */
  readonly created = (worker: import("node:worker_threads").Worker): void => {
    worker.once("online", () => {
      // -1: it has ended.
      if (this.#isStopped || worker.threadId < 0) return;
      this.#online.add(worker.threadId);
      this.#askOnline();
    });
  };

  #isStopped = false;

  stop(): void {
    this.#isStopped = true;
    this.#online.clear();
    this.#close();
  }

  #askOnline(): void {
    if (this.#session === null) {
      this.#open(false);
      return;
    }
    for (const thread of this.#online) {
      const worker = this.#told.get(thread);
      if (worker !== undefined) this.#ask(worker, "online");
    }
  }

  #open(isFirst: boolean): void {
    try {
      const inspector = builtin<{ readonly Session: new () => Session }>("node:inspector");
      const session = new inspector.Session();
      this.#session = session;
      this.#isFirst = isFirst;
      if (isMainThread) session.connect();
      else session.connectToMainThread();
      session.on("NodeWorker.attachedToWorker", ({ params }) => this.#tell(params));
      session.on("NodeWorker.receivedMessageFromWorker", ({ params }) => this.#answered(params));
      session.on("NodeWorker.detachedFromWorker", ({ params }) => this.#answered(params));
      session.post("NodeWorker.enable", { waitForDebuggerOnStart: false }, () => {
        if (this.#session !== session) return;
        this.#toldAll = true;
        // Whoever has not been told of is gone.
        for (const thread of this.#online) if (!this.#told.has(thread)) this.#online.delete(thread);
        this.#closeIfDone();
      });
    } catch {
      // These workers are not recorded: they have no descriptor.
      this.#close();
    }
  }

  #tell(worker: WorkerInfo): void {
    const thread = threadOf(worker);
    this.#told.set(thread, worker);
    if (this.#online.has(thread)) this.#ask(worker, "online");
    else if (this.#isFirst && !this.#toldAll) this.#ask(worker, "unknown");
  }

  #ask(worker: WorkerInfo, progress: "online" | "unknown"): void {
    const { sessionId, workerInfo } = worker;
    this.#online.delete(threadOf(worker));
    this.#asked.add(sessionId);
    const attach = attachExpression(this.#agent, this.#folder, nameOf(worker));
    const expression = progress === "online" ? attach : whenOnline(attach, workerInfo.url);
    const message = JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression } });
    this.#session?.post("NodeWorker.sendMessageToWorker", { sessionId, message });
  }

  #answered({ sessionId }: { readonly sessionId: string }): void {
    this.#asked.delete(sessionId);
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (!this.#toldAll || this.#asked.size > 0) return;
    this.#close();
    // A session that begins later tells of those, too.
    if (this.#online.size > 0) this.#open(false);
  }

  #close(): void {
    const session = this.#session;
    this.#session = null;
    this.#toldAll = false;
    this.#told.clear();
    this.#asked.clear();
    // What Node kept of the program's messages would outlive the session.
    session?.post("Runtime.discardConsoleEntries");
    session?.disconnect();
  }
}

/** `agent`: path of the file to load. */
export function followWorkers(folder: string, agent: string): Stop {
  const workers = new WorkerReach(folder, agent);
  process.on("worker", workers.created);
  if (isMainThread) workers.reachAll();
  return () => {
    process.off("worker", workers.created);
    workers.stop();
  };
}
