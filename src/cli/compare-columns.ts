/** The columns of `gcspike compare`, from the words of its command line. */
import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { usageError } from "../lib/errors.ts";
import { plainText } from "../lib/text.ts";

export interface ColumnFolders {
  readonly name: string;
  /** Folders of recordings, one a run. */
  readonly folders: readonly string[];
}

/** `name=path,path`; a folder that is there as the whole word says is a recording, whatever signs its name has. */
const GROUP = /^([^=/\\]+)=(.*)$/s;

/**
 * A column a word: a recording's folder, whose column has its name, or `name=folder,folder,...`, runs of one thing.
 * Throws a usage error where there are fewer than two, two have one name, or a recording stands there twice.
 */
export function parseColumns(words: readonly string[]): readonly ColumnFolders[] {
  const parsed = words.map(parseColumn);
  if (parsed.length < 2) {
    throw usageError(
      parsed.length === 0 ? "There is no recording to compare." : "There is only one column: nothing to compare with.",
      "Name two or more: gcspike compare before.gcspike after.gcspike",
    );
  }
  refuseTwice(
    parsed.flatMap(({ folders }) => folders),
    realPath,
    (folder) => `${folder} is there twice.`,
    "Name each recording once.",
  );
  const columns = named(parsed);
  refuseTwice(
    columns.map(({ name }) => plainText(name)),
    (name) => name,
    (name) => `Two columns have the name ${name}.`,
    "Name them apart: before=a.gcspike after=b.gcspike",
  );
  return columns;
}

/** A link to a recording is the same recording; one that is not there is complained of when it is read. */
function realPath(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : resolve(folder);
}

interface Parsed {
  readonly name: string | null;
  readonly folders: readonly string[];
}

function parseColumn(word: string): Parsed {
  const [, name, list] = GROUP.exec(word) ?? [];
  if (name === undefined || list === undefined || existsSync(word)) {
    if (word === "") throw usageError("A recording's name is empty.", "Give the folder that gcspike record made.");
    return { name: null, folders: [word] };
  }
  const folders = list.split(",");
  if (folders.includes("")) {
    throw usageError(`${word} has an empty place for a recording.`, `Write ${name}=A.gcspike,B.gcspike`);
  }
  return { name, folders };
}

function refuseTwice(
  words: readonly string[],
  key: (word: string) => string,
  message: (word: string) => string,
  hint: string,
): void {
  const seen = new Set<string>();
  for (const word of words) {
    if (seen.has(key(word))) throw usageError(message(word), hint);
    seen.add(key(word));
  }
}

/** Folders give their name; where two have the same, as much of the path before it as tells them apart. */
function named(parsed: readonly Parsed[]): readonly ColumnFolders[] {
  const paths = parsed.map(({ folders: [folder = ""] }) => resolve(folder).split(/[\\/]/));
  const nameAt = (index: number, parts: number): string =>
    (parsed[index]?.name ?? paths[index]?.slice(-parts).join("/") ?? "").replace(/\.gcspike$/, "");
  return parsed.map(({ folders }, index) => {
    const longest = paths[index]?.length ?? 1;
    let parts = 1;
    const isTaken = () => paths.some((_, other) => other !== index && nameAt(other, parts) === nameAt(index, parts));
    while (parts < longest && isTaken()) parts++;
    return { name: nameAt(index, parts), folders };
  });
}
