/** Programs that run a script: its name says more than theirs. */
const LAUNCHERS = /^(node(js)?[\d.-]*|npx|tsx|ts-node|bun|deno)(\.exe)?$/;
/** Options of Node whose value is the next word. */
const WITH_VALUE = /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--env-file|--input-type)$/;
/** With these there is no script; - is standard input. */
const INLINE = /^(-e|-p|-pe|--eval|--print|-)(=|$)/;

/** Is this an option of Node's with which it runs no script? */
export const isInline = (word: string): boolean => INLINE.test(word);

function scriptOf(words: readonly string[]): string | undefined {
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (isInline(word)) return undefined;
    if (WITH_VALUE.test(word)) index++;
    else if (!word.startsWith("-")) return word;
  }
  return undefined;
}

/** Not the path module's: a recording made elsewhere may have the other system's paths. */
function lastPart(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== "") ?? "";
}

/** What a person calls this command: `server.js` for `node --flag server.js 80`, else the program; "" for no command. */
export function programName(command: readonly string[]): string {
  const [program = "", ...rest] = command;
  const name = lastPart(program);
  return lastPart((LAUNCHERS.test(name) && scriptOf(rest)) || program);
}
