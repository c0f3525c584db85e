/** `gcspike top`: the Node processes of this machine on the whole screen, until a person leaves. */
import type { LiveFigures } from "../analysis/live-figures.ts";
import { ExitCode, usageError } from "../lib/errors.ts";
import { formatMs } from "../lib/units.ts";
import { recordingsOf, requireAttachable } from "../recorder/attach/target.ts";
import { nodeProcesses } from "../recorder/processes/list.ts";
import { haveProbe } from "./have-native.ts";
import { summarise } from "./recording-summary.ts";
import { untilStopSignal } from "./stop-signals.ts";
import type { Terminal } from "./terminal.ts";
import { Attachments } from "./top/attachments.ts";
import { FullScreen } from "./top/full-screen.ts";
import { KeyReader } from "./top/keys.ts";
import { Measuring } from "./top/measuring.ts";
import { listRoom, paint, type Size, screen } from "./top/screen.ts";
import { type Effect, type Elsewhere, type News, type Row, START, scrolled, update } from "./top/state.ts";

const LOOK_MS = 1000;
/** Who records what, and how large it is, changes rarely. */
const LOOKS_UNTIL_OTHERS = 3;

/** `pid`: a process to attach to at once. Returns exit code 0 when a person leaves. Throws a usage error where there is no screen. */
export async function runTop(pid: number | undefined, terminal: Terminal): Promise<number> {
  if (!terminal.hasScreen()) {
    throw usageError(
      "gcspike top needs a terminal that it can draw on and that gives it keys.",
      "Without one: gcspike attach <pid> records a process, gcspike report <recording> explains it.",
    );
  }
  if (pid !== undefined) requireAttachable(pid);
  await haveProbe(terminal);
  const top = new Top(terminal, pid);
  const stop = untilStopSignal();
  stop.signal.addEventListener("abort", () => top.tell({ is: "key", key: "leave" }));
  try {
    await top.run();
  } finally {
    stop.release();
  }
  await top.summarise();
  return ExitCode.ok;
}

class Top {
  readonly #terminal: Terminal;
  readonly #named: number | undefined;
  readonly #startNs = process.hrtime.bigint();
  readonly #measuring = new Measuring(this.#startNs);
  readonly #attachments = new Attachments((news) => this.tell(news));
  readonly #screen: FullScreen;
  #state = START;
  #others: ReadonlyMap<string, Elsewhere> = new Map();
  /** Rows that others recorded already when they were attached to. */
  readonly #later = new Set<string>();
  #looks = 0;
  #leave: () => void = () => {};
  readonly #left = new Promise<void>((resolve) => {
    this.#leave = resolve;
  });

  constructor(terminal: Terminal, named: number | undefined) {
    this.#terminal = terminal;
    this.#named = named;
    const keys = new KeyReader();
    this.#screen = new FullScreen(terminal, {
      input: (text) => {
        for (const key of keys.push(text)) this.tell({ is: "key", key });
      },
      gone: () => this.tell({ is: "key", key: "leave" }),
      changed: () => this.#draw(),
    });
  }

  /** Resolves when the terminal is as it was, and everything is let go of. */
  async run(): Promise<void> {
    await this.#look();
    this.#screen.open();
    try {
      if (this.#named !== undefined) {
        this.tell({ is: "select", pid: this.#named });
        this.tell({ is: "key", key: "attach" });
      }
      const looking = this.#keepLooking();
      await this.#left;
      await this.#attachments.releaseAll();
      await looking;
    } finally {
      this.#screen.close();
    }
  }

  /** What became of the recordings that were kept. */
  async summarise(): Promise<void> {
    for (const recording of this.#attachments.kept) {
      const ended = `Process ${recording.pid} was recorded for ${formatMs(recording.durationMs)}`;
      this.#terminal.err(await summarise(ended, recording, this.#terminal));
    }
  }

  tell(news: News): void {
    const { state, effects } = update(this.#state, news);
    this.#state = state;
    for (const effect of effects) this.#do(effect);
    this.#draw();
  }

  #do(effect: Effect): void {
    switch (effect.do) {
      case "attach": {
        const row = this.#state.rows.find(({ key }) => key === effect.row);
        if (row === undefined) break;
        if (this.#others.has(effect.row)) this.#later.add(effect.row);
        else this.#later.delete(effect.row);
        this.#attachments.start(effect.row, row.process.pid, effect.keep);
        break;
      }
      case "keep":
        this.#attachments.keep(effect.row);
        break;
      case "release":
        this.#attachments.release(effect.row);
        break;
      case "leave":
        this.#leave();
        break;
      case "suspend":
        this.#screen.suspend();
        break;
      case "redraw":
        this.#screen.redraw();
        break;
    }
  }

  #draw(): void {
    const size: Size = { width: this.#terminal.width(), rows: this.#terminal.rows() };
    this.#state = scrolled(this.#state, listRoom(this.#state, size));
    const color = this.#terminal.outColor;
    this.#screen.draw(screen(this.#state, size).map((line) => paint(line, size.width, color)));
  }

  async #keepLooking(): Promise<void> {
    while (!this.#state.isLeaving) {
      await Promise.race([this.#left, new Promise((resolve) => setTimeout(resolve, LOOK_MS))]);
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    const named = new Set(this.#named === undefined ? [] : [this.#named]);
    const processes = await nodeProcesses(named);
    const nowMs = Number(process.hrtime.bigint() - this.#startNs) / 1e6;
    this.tell({ is: "clock", nowMs, clock: new Date().toTimeString().slice(0, 8) });
    this.tell({ is: "processes", processes });
    if (this.#looks++ % LOOKS_UNTIL_OTHERS === 0) {
      this.#others = this.#recordedByOthers();
      this.#attachments.boundDisk();
    }
    this.tell({ is: "figures", figures: this.#measure(nowMs), elsewhere: this.#others });
  }

  /** Rows of processes that run. */
  get #running(): readonly Row[] {
    return this.#state.rows.filter(({ endedMs }) => endedMs === null);
  }

  #recordedByOthers(): ReadonlyMap<string, Elsewhere> {
    const others = new Map<string, Elsewhere>();
    for (const {
      key,
      process: { pid },
    } of this.#running) {
      const other = recordingsOf(pid).find(({ recorderPid }) => recorderPid !== process.pid);
      if (other !== undefined) others.set(key, other);
    }
    return others;
  }

  #measure(nowMs: number): ReadonlyMap<string, LiveFigures> {
    const known = new Map<string, LiveFigures>();
    for (const {
      key,
      process: { pid },
    } of this.#running) {
      const own = this.#attachments.folderOf(key);
      const other = this.#others.get(key)?.folder ?? null;
      // Who was there first has the allocations.
      const folder = this.#later.has(key) ? (other ?? own) : (own ?? other);
      const figures = folder === null ? null : this.#measuring.figuresOf(key, pid, folder, nowMs);
      if (figures !== null) known.set(key, figures);
    }
    this.#measuring.keepOnly(new Set(known.keys()));
    return known;
  }
}
