/** The few things that a check asks git. */
import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { promisify } from "node:util";
import { usageError } from "../lib/errors.ts";

const run = promisify(execFile);

/** Set in git's hooks, and then about another work tree than the one that is asked about. */
const OF_HOOKS = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"];

/** What it printed, without the newline. Rejects with execFile's error, which has `stderr`. Not stopped by a terminal's Ctrl-C. */
export async function git(cwd: string, words: readonly string[]): Promise<string> {
  const env = { ...process.env, GIT_TERMINAL_PROMPT: "0" };
  for (const name of OF_HOOKS) Reflect.deleteProperty(env, name);
  // A process group of its own: what is made here has to be removed again, also after Ctrl-C.
  const options = { cwd, env, encoding: "utf8", maxBuffer: 2 ** 24, detached: true } as const;
  // No hooks: somebody's post-checkout may do anything.
  const { stdout } = await run("git", ["-c", "core.hooksPath=/dev/null", ...words], options);
  return stdout.replace(/\n$/, "");
}

/** The work tree that `cwd` lies in, absolute. @throws a usage error where there is none, or no git */
export async function workTreeOf(cwd: string): Promise<string> {
  try {
    return realpathSync(await git(cwd, ["rev-parse", "--show-toplevel"]));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw usageError(
        "--against needs git, which is not installed. Nothing was run.",
        "Or compare with recordings: --baseline REC...",
      );
    }
    throw usageError(
      `${cwd} is not in a git repository. Nothing was run.`,
      "Run the check inside the repository of the program, or compare with recordings: --baseline REC...",
    );
  }
}

/** The commit that `ref` names. @throws a usage error where it names none */
export async function commitOf(root: string, ref: string): Promise<string> {
  try {
    return await git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`]);
  } catch {
    throw usageError(
      `git knows no commit "${ref}" here. Nothing was run.`,
      `Fetch it first: git fetch origin ${/^[\w./-]+$/.test(ref) ? ref : "BRANCH"} (in GitHub Actions: actions/checkout with fetch-depth: 0).`,
    );
  }
}
