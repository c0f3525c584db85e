// THIRD-PARTY-NOTICES.txt: whose code the built files contain, and under which licence.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = "/node_modules/";

/** The package's folder of a bundled module, null for a module of ours and for one that the bundler made up. */
export function packageFolder(moduleId) {
  const path = moduleId.replaceAll("\\", "/");
  const start = path.lastIndexOf(FOLDER);
  if (start === -1) return null;
  const [scope, name] = path.slice(start + FOLDER.length).split("/");
  const end = scope.startsWith("@") ? `${scope}/${name}` : scope;
  return path.slice(path.startsWith("\0") ? 1 : 0, start + FOLDER.length) + end;
}

const isLicence = (file) => /^(un)?(licen[sc]e|copying|notice|copyrightnotice)([.-](md|txt|mit|apache))?$/i.test(file);

/** A package's licence, as it wants to be passed on. Throws where it has none: it may not be bundled then. */
function describePackage(folder) {
  const { name, version, license, licenses } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const files = readdirSync(folder).filter(isLicence).sort();
  if (files.length === 0) throw new Error(`${name} ${version} has no file with its licence: it cannot be bundled.`);
  const known = license ?? licenses?.map(({ type }) => type).join(" or ") ?? "as below";
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").trim());
  return { title: `${name} ${version} (${known})`, text: texts.join("\n\n") };
}

/** `folders`: of packages. `vendored`: what packages carry along from elsewhere, `{ title, file }`. */
export function thirdPartyNotices(folders, vendored) {
  const parts = [
    ...[...new Set(folders)].map(describePackage),
    ...vendored.map(({ title, file }) => ({ title, text: readFileSync(file, "utf8").trim() })),
  ].sort((a, b) => (a.title < b.title ? -1 : 1));
  const unique = parts.filter(({ title }, index) => title !== parts[index - 1]?.title);
  const line = "=".repeat(80);
  const sections = unique.map(({ title, text }) => `${line}\n${title}\n${line}\n\n${text}\n`);
  return `gcspike contains code of these projects. Packages that npm installs beside it have their licences themselves.\n\n${sections.join("\n")}`;
}
