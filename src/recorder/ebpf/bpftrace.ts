/** bpftrace as a process: started, read line by line, and gone for certain. */
import { spawn, spawnSync } from "node:child_process";
import { GcspikeError } from "../../lib/errors.ts";
import { plainText } from "../../lib/text.ts";

/** Pages of 4 KiB a processor for events that were not read yet; bpftrace's default holds some thousand events. */
const BUFFER_PAGES = "256";
/** No line that is ours comes near it. */
const MAX_LINE = 1000;
const MAX_STDERR = 10_000;
/** bpftrace compiles for some tenths of a second; with fifty others on two processors it took more than a minute. */
const ATTACH_PATIENCE_MS = 120_000;

export function bpftraceVersion(): string | null {
  const { status, stdout } = spawnSync("bpftrace", ["--version"], { encoding: "utf8", timeout: 20_000 });
  return status === 0 ? stdout.trim() : null;
}

export interface Bpftrace {
  /** Resolves with its complaint when it has ended, by itself or killed. */
  readonly ended: Promise<string>;
  /** Ends it, and resolves when it is gone. Its probes are gone with it: the kernel closes them with its files. */
  readonly kill: () => Promise<void>;
}

/**
 * Runs `program` on the process `pid`: its probes are set in the memory of that one alone. Resolves when all are set, which the
 * first line of the program's says: `line` gets what bpftrace prints, and tells whether it is one. Throws GcspikeError where it cannot be started, ends before or takes too long.
 *
 * It has a session of its own: Ctrl-C in a terminal is gcspike's, which reads to the end first. Where gcspike is killed nobody reads its
 * pipe any more, and its next line, a tenth of a second later, ends it (SIGPIPE).
 */
export async function startBpftrace(
  program: string,
  { pid, line }: { readonly pid: number; readonly line: (text: string) => boolean },
): Promise<Bpftrace> {
  // Probes are set at addresses: without --unsafe bpftrace would look for the symbols around them, for seconds.
  const words = ["-p", String(pid), "-B", "line", "--unsafe", "-e", program];
  const env = { ...process.env, BPFTRACE_PERF_RB_PAGES: BUFFER_PAGES };
  const child = spawn("bpftrace", words, { env, cwd: "/", detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let complaint = "";
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", () => resolve(complaint.trim()));
  });
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  const attached = new Promise<void>((resolve) => {
    eachLine(child.stdout, (text) => {
      if (line(text)) resolve();
    });
    eachLine(child.stderr, (text) => {
      if (complaint.length < MAX_STDERR) complaint += `${text}\n`;
      line(text);
    });
  });
  const problem = await Promise.race([attached.then(() => null), ended, timeout()]);
  if (problem === null) return { ended, kill };
  await kill();
  throw new GcspikeError("ebpf", `bpftrace could not set its probes: ${reasonIn(problem)}. Nothing was changed.`, {
    hint: "gcspike doctor says what it needs.",
  });
}

function timeout(): Promise<string> {
  return new Promise((resolve) => {
    setTimeout(resolve, ATTACH_PATIENCE_MS, `it was not ready after ${ATTACH_PATIENCE_MS / 1000} s`).unref();
  });
}

/** Its errors stand behind warnings and hints. */
function reasonIn(complaint: string): string {
  const lines = complaint.split("\n").filter((one) => one !== "");
  const error = lines.findLast((one) => /error/i.test(one)) ?? lines.at(-1) ?? "it ended without a word";
  return plainText(error.replace(/^.*?ERROR: /, ""), 300).replace(/\.$/, "");
}

function eachLine(stream: NodeJS.ReadableStream, line: (text: string) => void): void {
  let rest = "";
  stream.setEncoding("latin1");
  stream.on("data", (part: string) => {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    // Whatever it is, it is not ours.
    if (rest.length > MAX_LINE) rest = "";
    for (const text of lines) line(text);
  });
}
