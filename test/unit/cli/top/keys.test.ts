import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyReader } from "../../../../src/cli/top/keys.ts";

const TYPED = "jk\u001b[A\u001bOB\u001b[5~x\u001b[1;5Aa\r\u001b[200~q\u001b[201~\u0003é🚀";
const KEYS = ["down", "up", "up", "down", "page-up", "attach", "attach", "leave", "leave"];

test("keys in the cursor's both modes; what means nothing is passed over", () => {
  expect(new KeyReader().push(TYPED)).toEqual(KEYS);
});

test("wherever the input is cut, the keys are the same", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(TYPED.length - 1)), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), TYPED.length];
      const reader = new KeyReader();
      expect(at.slice(1).flatMap((end, i) => reader.push(TYPED.slice(at[i], end)))).toEqual(KEYS);
    }),
  );
});

test("a sequence that never ends does not take the keys behind it for ever", () => {
  const reader = new KeyReader();
  reader.push(`\u001b[${"1;".repeat(100)}`);
  expect(reader.push("q")).toEqual(["leave"]);
});
