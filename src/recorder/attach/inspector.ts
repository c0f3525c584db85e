/** Opens the inspector of a process for as long as it takes to evaluate one expression. */
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { GcspikeError } from "../../lib/errors.ts";
import { isIpv6, isLoopback, type Listener, listenersOf, otherListener, ownerOf } from "./sockets.ts";
import { type AttachTarget, startTicksOf } from "./target.ts";
import { takeTurn } from "./turn.ts";
import { connectWebSocket } from "./web-socket.ts";

/** A main thread in a long pause answers when that is over. */
const PATIENCE_MS = 10_000;
/** Another gcspike, which attaches to another process, needs the port for some hundredths of a second. */
const PORT_PATIENCE_MS = 5000;
const LOOK_AGAIN_MS = 10;
/** A main thread in a long pause closes it when that is over. */
const CLOSE_PATIENCE_MS = 1000;
/** In the target: closes the port and every connection to it. */
const CLOSE_EXPRESSION = "process._debugEnd()";

export interface Evaluated {
  /** The expression's value, a string; null where it threw or gave another one. */
  readonly value: string | null;
  /** What it threw. */
  readonly thrown: string | null;
  /** The inspector had been open before, and stays so. */
  readonly wasOpen: boolean;
}

function failed(message: string, hint: string): GcspikeError {
  return new GcspikeError("attach", message, { hint });
}

async function freePort({ pid, inspector }: AttachTarget): Promise<void> {
  const endMs = performance.now() + PORT_PATIENCE_MS;
  for (;;) {
    const other = inspector.port === 0 ? null : otherListener(pid, inspector.port);
    if (other === null) return;
    if (performance.now() > endMs) {
      const owner = ownerOf(other);
      const by = owner === null ? "another process" : `process ${owner.pid} (${owner.name})`;
      throw failed(
        `Process ${pid} would open its inspector on port ${inspector.port}, which ${by} uses. Nothing was changed.`,
        "A program that runs takes no other port: end what uses it, or start the program with --inspect-port=0 next time.",
      );
    }
    await sleep(50);
  }
}

/** Sockets of the target that may be its inspector, the new ones first. */
function candidates({ pid, inspector }: AttachTarget, before: readonly Listener[]): readonly Listener[] {
  const known = new Set(before.map(({ inode }) => inode));
  const now = listenersOf(pid);
  const fresh = now.filter(({ inode }) => !known.has(inode));
  // Who was asked for any port says nothing of which it became.
  const old = before.filter(({ port }) => port === inspector.port || (inspector.wasAsked && inspector.port === 0));
  return [...fresh, ...old];
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/** What is asked of a socket that turns out to be no inspector is one HTTP request. */
function endpointAt(listener: Listener): Promise<Endpoint | null> {
  const host = isIpv6(listener) ? "::1" : "127.0.0.1";
  return new Promise((resolve) => {
    const request = get({ host, port: listener.port, path: "/json/list", timeout: PATIENCE_MS }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text = (text + part).slice(0, 65_536);
      });
      response.once("end", () => resolve(parseEndpoint(text, host, listener.port)));
      response.once("error", () => resolve(null));
    });
    request.once("timeout", () => request.destroy());
    request.once("error", () => resolve(null));
  });
}

function parseEndpoint(text: string, host: string, port: number): Endpoint | null {
  try {
    const [target] = JSON.parse(text) as readonly { readonly id?: unknown; readonly type?: unknown }[];
    if (target === undefined || target.type !== "node" || typeof target.id !== "string") return null;
    return /^[\w-]{1,100}$/.test(target.id) ? { host, port, path: `/${target.id}` } : null;
  } catch {
    return null;
  }
}

interface Opened extends Endpoint {
  readonly inode: string;
  readonly wasOpen: boolean;
}

/** Asks for the inspector as `kill -USR1` does, and waits until it is there. */
async function open(target: AttachTarget): Promise<Opened> {
  const { pid, startTicks } = target;
  const before = listenersOf(pid);
  await freePort(target);
  let endMs = performance.now() + PATIENCE_MS;
  process.kill(pid, "SIGUSR1");
  for (;;) {
    for (const listener of candidates(target, before)) {
      const endpoint = await endpointAt(listener);
      if (endpoint === null) continue;
      // Who may reach it is decided by the options of the program's Node, which were read before.
      if (!isLoopback(listener))
        throw failed(
          `The inspector of process ${pid} is open on an address that others can reach.`,
          "Close it, or attach inside the machine's own network only.",
        );
      const { inode } = listener;
      return { ...endpoint, inode, wasOpen: before.some((known) => known.inode === inode) };
    }
    if (startTicksOf(pid) !== startTicks)
      throw failed(`Process ${pid} ended while its inspector was being opened.`, "Find it: pgrep -af node");
    // Somebody was faster: the target said so on its stderr, and has to be asked again.
    if (target.inspector.port !== 0 && otherListener(pid, target.inspector.port) !== null) {
      await freePort(target);
      process.kill(pid, "SIGUSR1");
      endMs = performance.now() + PATIENCE_MS;
    }
    if (performance.now() > endMs) {
      throw failed(
        `Process ${pid} did not open its inspector within ${PATIENCE_MS / 1000} s: the program takes SIGUSR1 for itself, or its main thread does nothing but wait.`,
        "Start the program under gcspike: gcspike record -- node ...",
      );
    }
    await sleep(LOOK_AGAIN_MS);
  }
}

interface Reply {
  readonly id?: number;
  readonly error?: { readonly message?: string };
  readonly result?: {
    readonly result?: { readonly value?: unknown };
    readonly exceptionDetails?: { readonly text?: string; readonly exception?: { readonly description?: string } };
  };
}

/** The reply to command 1; null where the connection closed without one. */
async function evaluateAt(endpoint: Opened, pid: number, expression: string): Promise<Reply | null> {
  let settle: (reply: Reply | null) => void = () => {};
  const replied = new Promise<Reply | null>((resolve) => {
    settle = resolve;
  });
  const message = (text: string): void => {
    const reply = JSON.parse(text) as Reply;
    if (reply.id === 1) settle(reply);
  };
  const socket = await connectWebSocket(endpoint, { message, closed: () => settle(null) });
  const commands = endpoint.wasOpen ? [expression] : [expression, CLOSE_EXPRESSION];
  socket.send(
    ...commands.map((text, at) =>
      JSON.stringify({ id: at + 1, method: "Runtime.evaluate", params: { expression: text } }),
    ),
  );
  const patience = new AbortController();
  const timeout = sleep(PATIENCE_MS, "late" as const, { signal: patience.signal }).catch(() => "late" as const);
  const reply = await Promise.race([replied, timeout]);
  patience.abort();
  if (reply === "late") {
    socket.close();
    throw failed(
      `Process ${pid} did not answer within ${PATIENCE_MS / 1000} s: its main thread is blocked.`,
      "Its inspector closes when it runs again. Try again then.",
    );
  }
  if (endpoint.wasOpen) socket.close();
  return reply;
}

/**
 * Evaluates an expression in the main isolate of a process, and closes its inspector again in the same breath, unless it was open
 * before. Node prints two lines about it to the process's stderr, which nothing prevents. Throws GcspikeError.
 */
export async function evaluateIn(target: AttachTarget, expression: string): Promise<Evaluated> {
  const endTurn = await takeTurn(target);
  try {
    return await evaluateInTurn(target, expression);
  } finally {
    endTurn();
  }
}

/** Node closes it just behind the answer. */
async function closed({ inode, wasOpen }: Opened, pid: number): Promise<void> {
  const endMs = performance.now() + CLOSE_PATIENCE_MS;
  const isOpen = (): boolean => listenersOf(pid).some((listener) => listener.inode === inode);
  while (!wasOpen && isOpen() && performance.now() < endMs) await sleep(1);
}

async function evaluateInTurn(target: AttachTarget, expression: string): Promise<Evaluated> {
  const opened = await open(target);
  const reply = await evaluateAt(opened, target.pid, expression).catch((error: unknown) => {
    if (error instanceof GcspikeError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw failed(`The inspector of process ${target.pid} cannot be talked to: ${reason}.`, "Try again.");
  });
  await closed(opened, target.pid);
  const { result, error } = reply ?? {};
  const value = result?.result?.value;
  const details = result?.exceptionDetails;
  return {
    value: details === undefined && typeof value === "string" ? value : null,
    thrown:
      details === undefined
        ? (error?.message ?? null)
        : ((details.exception?.description ?? details.text ?? "").split("\n")[0] ?? ""),
    wasOpen: opened.wasOpen,
  };
}
