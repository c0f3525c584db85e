/** A commit beside the working tree, in a temporary folder, for as long as a check takes. */
import { existsSync, realpathSync, rmSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join, relative, resolve } from "node:path";
import { GcspikeError, usageError } from "../lib/errors.ts";
import { abandonedFolders, makeTemporaryFolder } from "../lib/temporary-folder.ts";
import { plainText } from "../lib/text.ts";
import { commitOf, GitError, git, gitUntilStopped, withoutHook, workTreeOf } from "./git.ts";

const STEM = "gcspike-check";

export interface Worktree {
  /** Of the working tree, absolute. */
  readonly root: string;
  /** Of the commit's files, absolute. */
  readonly path: string;
  /** The folder in it that corresponds to the current one. */
  readonly cwd: string;
  readonly commit: string;
  /** Removes it. Throws GcspikeError that names what is left where that fails. */
  readonly close: () => Promise<void>;
}

/** Throws a usage error where there is no git, no repository or no such commit; nothing is left behind then. */
export async function openWorktree(ref: string, currentFolder: string): Promise<Worktree> {
  const root = await workTreeOf(currentFolder);
  const commit = await commitOf(root, ref);
  const folder = makeTemporaryFolder(STEM);
  const path = join(folder, "tree");
  const close = (): Promise<void> => remove(root, folder);
  for (const abandoned of abandonedFolders(STEM)) await remove(root, abandoned).catch(() => {});
  try {
    await gitUntilStopped(root, ["worktree", "add", "--detach", "--quiet", path, commit]);
  } catch (error) {
    await close();
    const said = error instanceof GitError ? error.said : plainText(String(error), 300);
    throw new GcspikeError("worktree", `git could not check out ${ref} beside the working tree: ${said}`, {
      kept: "Nothing was run, and the working tree is as it was.",
      hint: "Is there room in the folder for temporary files? TMPDIR names another one.",
      cause: error,
    });
  }
  return { root, path, cwd: join(path, relative(root, realpathSync(currentFolder))), commit, close };
}

/** Of a temporary folder its work tree and what else is there. */
async function remove(root: string, folder: string): Promise<void> {
  // git forgets this one only: `git worktree prune` would also forget the user's own whose disk is not mounted just now.
  await git(root, ["worktree", "remove", "--force", "--force", join(folder, "tree")]).catch(() => "");
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new GcspikeError("worktree", `Cannot remove the temporary work tree ${folder}: ${code}.`, {
      kept: "The working tree is as it was.",
      hint: "Something may still write there. Remove it by hand, and then: git worktree prune",
      cause,
    });
  }
}

/** What tells a program where it is. Under npx and npm run, PATH has the tools of the working tree first. */
const PLACES = ["PATH", "NODE_PATH", "PWD", "OLDPWD", "INIT_CWD", "npm_package_json", "npm_config_local_prefix"];

/** `env` for programs of the commit: what lies in the working tree there lies in the commit's. */
export function environmentIn(worktree: Pick<Worktree, "root" | "path">, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const moved = (place: string): string => {
    const real = realPath(place);
    const isIn = isAbsolute(place) && (real === worktree.root || isBelow(worktree.root, real));
    return isIn ? join(worktree.path, relative(worktree.root, real)) : place;
  };
  const places = PLACES.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value.split(delimiter).map(moved).join(delimiter)] as const];
  });
  return { ...withoutHook(env), ...Object.fromEntries(places) };
}

/** @throws a usage error where the commit lacks the current folder */
export function requireFolder(ref: string, { cwd, path }: Worktree): void {
  if (existsSync(cwd)) return;
  throw usageError(`${ref} has no folder ${relative(path, cwd)}.`, "Run the check in a folder that both have.");
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
  // What stands behind the = of an option may be a file that the program writes; by an absolute path both sides have the same one.
  for (const word of command.flatMap((one) => [one, ...one.split("=").slice(1).filter(isAbsolute)])) {
    const path = resolve(currentFolder, word);
    // A folder may have the name of a script of npm by chance, such as "build".
    if (!isFile(path) || !(isBelow(root, path) || isBelow(root, realPath(path)))) continue;
    if (isAbsolute(word)) {
      throw usageError(
        `"${word}" lies in the working tree: both sides would run the same file.`,
        `Name it from the current folder: ${relative(currentFolder, realPath(word))}`,
      );
    }
    if (existsSync(resolve(cwd, word))) continue;
    throw usageError(
      `${ref} has no ${word}, so there is nothing to compare with.`,
      "Name an older program, or make what is missing with --setup.",
    );
  }
}

/** A word may be a whole program, too long for a name. */
const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== "" && !/^\.\.(?:$|[/\\])/.test(way) && !isAbsolute(way);
}
