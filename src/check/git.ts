/** The few things that a check asks git. */
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { usageError } from "../lib/errors.ts";
import { plainText } from "../lib/text.ts";
import { forwardSignals } from "../recorder/signals.ts";

/**
 * What git's hooks are given (`git rev-parse --local-env-vars`, without configuration): it is about another work tree than the one that
 * is asked about.
 */
const OF_HOOKS = [
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_COMMON_DIR",
  "GIT_DIR",
  "GIT_GRAFT_FILE",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_NAMESPACE",
  "GIT_NO_REPLACE_OBJECTS",
  "GIT_OBJECT_DIRECTORY",
  "GIT_PREFIX",
  "GIT_REPLACE_REF_BASE",
  "GIT_SHALLOW_FILE",
  "GIT_WORK_TREE",
];
/** Of what git complains with, so much is kept. */
const MOST_SAID = 10_000;

/** Git said no. */
export class GitError extends Error {
  /** Its own words, on one line. */
  readonly said: string;

  constructor(said: string, cause?: unknown) {
    super(said, { cause });
    this.said = said;
  }
}

/** `env` without what a hook was told. */
export function withoutHook(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OF_HOOKS.includes(name)));
}

/** What it printed, without the newline. Ctrl-C does not end it: what is made has to be removed again. @throws GitError */
export function git(cwd: string, words: readonly string[]): Promise<string> {
  return printedBy(cwd, words, () => {});
}

/** The same of something long, which signals to gcspike end. */
export async function gitUntilStopped(cwd: string, words: readonly string[]): Promise<string> {
  let release = (): void => {};
  try {
    return await printedBy(cwd, words, (group) => {
      release = forwardSignals((signal) => process.kill(-group, signal), false);
    });
  } finally {
    release();
  }
}

/** In a process group of its own, which a terminal's Ctrl-C does not reach. */
function printedBy(cwd: string, words: readonly string[], started: (group: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    // No hooks: somebody's post-checkout may do anything.
    const child = spawn("git", ["-c", "core.hooksPath=/dev/null", ...words], {
      cwd,
      env: { ...withoutHook(process.env), GIT_TERMINAL_PROMPT: "0" },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const printed = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (printed.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      printed.stderr = `${printed.stderr}${text}`.slice(0, MOST_SAID);
    });
    if (child.pid !== undefined) started(child.pid);
    child.once("error", (error) => reject(new GitError(error.message, error)));
    child.once("close", (code) => {
      if (code === 0) resolve(printed.stdout.replace(/\n$/, ""));
      else reject(new GitError(plainText(printed.stderr.trim(), 300)));
    });
  });
}

/** The work tree that `cwd` lies in, absolute. @throws a usage error where there is none, or no git */
export async function workTreeOf(cwd: string): Promise<string> {
  try {
    return realpathSync(await git(cwd, ["rev-parse", "--show-toplevel"]));
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    if ((error.cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT") {
      throw usageError(
        "--against needs git, which is not installed. Nothing was run.",
        "Or compare with recordings: --baseline REC...",
      );
    }
    throw usageError(
      `${cwd} is in no work tree of git: ${error.said}. Nothing was run.`,
      "Run the check inside the repository of the program, or compare with recordings: --baseline REC...",
    );
  }
}

/** The commit that `ref` names. @throws a usage error where it names none */
export async function commitOf(root: string, ref: string): Promise<string> {
  try {
    return await git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`]);
  } catch {
    const branch = /^(?:refs\/(?:heads|remotes\/origin)\/|origin\/)?(\w[\w./-]*)$/.exec(ref)?.[1] ?? "BRANCH";
    throw usageError(
      `git knows no commit "${plainText(ref, 100)}" here. Nothing was run.`,
      `Fetch it first: git fetch origin ${branch} (in GitHub Actions: actions/checkout with fetch-depth: 0).`,
    );
  }
}
