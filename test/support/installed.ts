/** gcspike as people have it: packed, and installed into an empty folder by npm, with nothing else on the PATH. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Ended, ROOT, Running } from "./cli.ts";

export interface Packed {
  readonly path: string;
  readonly bytes: number;
  /** Paths in the package, sorted. */
  readonly files: readonly string[];
}

/** Path of npm's own script, of the npm on the PATH. */
function npmScript(): string {
  for (const folder of (process.env.PATH ?? "").split(":")) {
    try {
      return realpathSync(join(folder, "npm"));
    } catch {
      // Not in this one.
    }
  }
  throw new Error("there is no npm on the PATH");
}

/** What npm says of a package that it made. */
interface Printed {
  readonly filename: string;
  /** bytes */
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** Makes the tarball in `folder`. What it is made of has been built. */
export function pack(folder: string): Packed {
  const words = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const printed: Readonly<Record<string, Printed>> = JSON.parse(
    execFileSync("npm", words, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }),
  );
  // A list, or an object by the package's name: npm's versions differ.
  const [only] = Object.values(printed);
  if (only === undefined) throw new Error("npm packed nothing");
  const { filename, size, files } = only;
  return { path: join(folder, filename), bytes: size, files: files.map(({ path }) => path).sort() };
}

export class Installed {
  /** Where it was installed, and where its commands run. */
  readonly folder: string;
  readonly #path: string;

  private constructor(folder: string, path: string) {
    this.folder = folder;
    this.#path = path;
  }

  /** Installs into a new folder with this Node. Only `node` and `npm` are on the PATH. Throws where npm fails. */
  static async install({ path: tarball }: Packed, node: string, folder: string): Promise<Installed> {
    const programs = join(folder, "programs");
    mkdirSync(programs, { recursive: true });
    symlinkSync(node, join(programs, "node"));
    symlinkSync(npmScript(), join(programs, "npm"));
    const installed = new Installed(folder, programs);
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "empty", private: true }));
    const { code, stderr } = await installed.run(
      "npm",
      "install",
      "--no-audit",
      "--no-fund",
      "--prefer-offline",
      tarball,
    );
    if (code !== 0) throw new Error(`npm install failed:\n${stderr}`);
    return installed;
  }

  /** Runs a program of this PATH. */
  run(program: string, ...words: readonly string[]): Promise<Ended> {
    return this.runWith({}, program, ...words);
  }

  /** The same, with a change of its environment. */
  runWith(env: Readonly<Record<string, string>>, program: string, ...words: readonly string[]): Promise<Ended> {
    const environment = { PATH: this.#path, npm_config_update_notifier: "false", ...env };
    return new Running(join(this.#path, program), words, { cwd: this.folder, env: environment }).ended;
  }

  gcspike(...words: readonly string[]): Promise<Ended> {
    return this.run("node", join("node_modules", ".bin", "gcspike"), ...words);
  }

  file(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  /** package.json of everything that was installed. */
  packages(): readonly string[] {
    const inside = (folder: string): readonly string[] =>
      readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return inside(path);
        return entry.name === "package.json" && /node_modules\/(@[^/]+\/)?[^/]+\/package.json$/.test(path)
          ? [path]
          : [];
      });
    return inside(join(this.folder, "node_modules"));
  }
}
