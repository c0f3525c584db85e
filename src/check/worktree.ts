/** A commit beside the working tree, in a temporary folder, for as long as a check takes. */
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join, relative, resolve } from "node:path";
import { GcspikeError, usageError } from "../lib/errors.ts";
import { isAlive } from "../lib/is-alive.ts";
import { plainText } from "../lib/text.ts";
import { commitOf, git, workTreeOf } from "./git.ts";

const PREFIX = "gcspike-check-";

export interface Worktree {
  /** Of the working tree, absolute. */
  readonly root: string;
  /** Of the commit's files, absolute. */
  readonly path: string;
  /** The folder in it that corresponds to the current one. */
  readonly cwd: string;
  readonly commit: string;
  /** Removes it. */
  readonly close: () => Promise<void>;
}

/** Throws a usage error where there is no git, no repository or no such commit; nothing is left behind then. */
export async function openWorktree(ref: string, currentFolder: string): Promise<Worktree> {
  const root = await workTreeOf(currentFolder);
  const commit = await commitOf(root, ref);
  await removeAbandoned(root);
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`)));
  const path = join(folder, "tree");
  const close = async (): Promise<void> => {
    await remove(root, folder);
  };
  try {
    await git(root, ["worktree", "add", "--detach", "--quiet", path, commit]);
  } catch (error) {
    await close();
    const said = plainText(String((error as { stderr?: string }).stderr ?? error).trim(), 300);
    throw new GcspikeError("worktree", `git could not check out ${ref} beside the working tree: ${said}`, {
      kept: "Nothing was run, and the working tree is as it was.",
      hint: "Is there room in the folder for temporary files? TMPDIR names another one.",
      cause: error,
    });
  }
  return { root, path, cwd: join(path, relative(root, realpathSync(currentFolder))), commit, close };
}

async function remove(root: string, folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  // Forgets work trees whose folder is gone.
  await git(root, ["worktree", "prune"]).catch(() => "");
}

/** Of a check that was killed. */
async function removeAbandoned(root: string): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(name.startsWith(PREFIX) ? name.slice(PREFIX.length).split("-")[0] : Number.NaN);
    if (!Number.isInteger(pid) || isAlive(pid)) continue;
    await remove(root, join(tmpdir(), name)).catch(() => {
      // Another user's: theirs to remove.
    });
  }
}

/**
 * @throws a usage error where the command cannot be the same on both sides: it names files of the working tree by absolute path, or
 * files that the commit does not have
 */
export function requireInBoth(
  command: readonly string[],
  ref: string,
  currentFolder: string,
  worktree: Worktree,
): void {
  const { root, cwd } = worktree;
  for (const word of command) {
    if (isAbsolute(word) && isBelow(root, word) && existsSync(word)) {
      throw usageError(
        `"${word}" lies in the working tree: both sides would run the same file.`,
        `Name it from the current folder: ${relative(currentFolder, word)}`,
      );
    }
    if (isAbsolute(word) || !existsSync(resolve(currentFolder, word))) continue;
    if (!isBelow(root, resolve(currentFolder, word)) || existsSync(resolve(cwd, word))) continue;
    throw usageError(
      `${ref} has no ${word}, so there is nothing to compare with.`,
      "Name an older program, or make what is missing with --setup.",
    );
  }
  if (!existsSync(cwd))
    throw usageError(
      `${ref} has no folder ${relative(root, currentFolder)}.`,
      "Run the check in a folder that both have.",
    );
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== "" && !way.startsWith("..") && !isAbsolute(way);
}
