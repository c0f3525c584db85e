/** The name of a file from the folder `root` on, where it lies below it: so that two checkouts have the same names. */
export function fromRoot(file: string, root: string): string {
  const path = file.startsWith("file://") ? file.slice("file://".length) : file;
  return root !== "" && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}
