// Keeps the agent's objects out of the hidden classes of the program that it runs in.
//
// V8 gives objects that begin with the same properties the same chain of hidden classes, whoever makes them. One `{ id, file }` of
// the agent is enough that a program's own `{ id, lines }` sits at a fork of that chain, where V8's shortcuts for a chain without
// forks end: JSON.parse of small messages became 2 to 3 % slower. Objects without a prototype are in no chain.
import { parseAst } from "rolldown/parseAst";

/** Where the object literals of an ESTree begin; those that name a prototype already are left out. */
function literals(node) {
  if (Array.isArray(node)) return node.flatMap(literals);
  if (node === null || typeof node !== "object") return [];
  const inside = Object.values(node).flatMap(literals);
  const isOurs = node.type === "ObjectExpression" && !node.properties.some(({ key }) => key?.name === "__proto__");
  return isOurs ? [node.start, ...inside] : inside;
}

/** `{ id }` becomes `{ __proto__: null, id }`, throughout. */
export function withoutPrototypes(code) {
  const starts = literals(parseAst(code)).sort((a, b) => a - b);
  const parts = starts.map((start, index) => {
    if (code[start] !== "{") throw new Error(`no object literal at ${start}`);
    return `{ __proto__: null, ${code.slice(start + 1, starts[index + 1])}`;
  });
  return code.slice(0, starts[0]) + parts.join("");
}

/** The same for what rolldown writes. */
export const ownShapes = { name: "own-shapes", renderChunk: (code) => withoutPrototypes(code) };
