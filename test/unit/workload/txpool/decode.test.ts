import { RLP } from "@ethereumjs/rlp";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  emptyDecodedTransaction,
  REFUSALS,
  type Refusal,
  TransactionDecoder,
} from "../../../../src/workload/txpool/decode.ts";
import { MAX_TRANSACTION_BYTES } from "../../../../src/workload/txpool/limits.ts";
import { SenderRecovery } from "../../../../src/workload/txpool/recover.ts";
import { loadCurve } from "../../../../src/workload/txpool/secp256k1.ts";
import { CHAIN_ID, type OracleView, oracleView, signedEncoding } from "../../../support/ethereum-oracle.ts";

const decoder = new TransactionDecoder(CHAIN_ID);
const recovery = new SenderRecovery(loadCurve());

type Nested = Uint8Array | readonly Nested[];

test("transactions of every type: fields, hash and sender agree with @ethereumjs/tx", () => {
  fc.assert(
    fc.property(signedEncoding, (encoding) => {
      const oracle = oracleView(encoding);
      expect(oracle).not.toBeNull();
      expect(ours(encoding)).toEqual(asOurs(oracle));
    }),
    { numRuns: 100 },
  );
});

test("changed encodings are taken or refused as by @ethereumjs/tx, but for what only we refuse", () => {
  fc.assert(fc.property(fc.tuple(signedEncoding, mutation).map(mutated), agreesWithOracle), { numRuns: 1000 });
});

test("valid fields in an encoding of another structure are taken or refused as by @ethereumjs/tx", () => {
  fc.assert(fc.property(fc.tuple(signedEncoding, restructuring).map(restructured), agreesWithOracle), {
    numRuns: 1000,
  });
});

test("an item in any other than its one shortest form is refused, wherever it is", () => {
  fc.assert(
    fc.property(signedEncoding, fc.nat(), fc.constantFrom(1, 2, 3, 4, 8), (encoding, choice, lengthBytes) => {
      const type = (encoding[0] ?? 0) < 0xc0 ? encoding.subarray(0, 1) : new Uint8Array(0);
      const items: Nested[] = [];
      const list = fieldsOf(encoding);
      forEachItem(list, (item) => items.push(item));
      const chosen = items[choice % items.length];
      const longer = Buffer.concat([type, encodedWith(list, chosen, lengthBytes)]);
      // An item whose length takes more bytes than were asked for is as it should be.
      if (longer.equals(encoding)) return;
      expect(refusalOf(longer)).toBe("not-canonical");
      expect(oracleView(longer)).toBeNull();
    }),
    { numRuns: 1000 },
  );
});

test("no bytes crash the decoder, and what is refused leaves nothing behind", () => {
  const transaction = emptyDecodedTransaction();
  const prefixed = fc.tuple(
    fc.constantFrom(0x01, 0x02, 0xc0, 0xf8, 0xf9, 0xfa, 0xff),
    fc.uint8Array({ maxLength: 200 }),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        prefixed.map(([first, rest]) => Uint8Array.of(first, ...rest)),
      ),
      (bytes) => {
        if (decoder.decode(bytes, 0, bytes.length, transaction) !== null) {
          expect(transaction).toEqual(emptyDecodedTransaction());
        }
      },
    ),
    { numRuns: 3000 },
  );
  const [valid] = fc.sample(signedEncoding, 1);
  if (valid === undefined) throw new Error("no sample");
  expect(decoder.decode(valid, 0, valid.length, transaction)).toBeNull();
  expect(decoder.decode(valid, 0, valid.length - 1, transaction)).not.toBeNull();
  expect(transaction).toEqual(emptyDecodedTransaction());
});

test("a transaction is found in the middle of other bytes, and its neighbours do not matter", () => {
  fc.assert(
    fc.property(
      signedEncoding,
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }),
      (tx, before, after) => {
        const all = Buffer.concat([before, tx, after]);
        const transaction = emptyDecodedTransaction();
        expect(decoder.decode(all, before.length, before.length + tx.length, transaction)).toBeNull();
        expect(transaction.raw).toBe(all);
        expect([transaction.start, transaction.end]).toEqual([before.length, before.length + tx.length]);
        expect(Buffer.from(transaction.hash)).toEqual(Buffer.from(oracleView(tx)?.hash ?? []));
      },
    ),
    { numRuns: 50 },
  );
});

/** The fields of a valid EIP-1559 transaction, for a change in one of them. */
const FIELDS_1559: readonly Nested[] = [
  number(CHAIN_ID),
  number(7),
  number(2e9),
  number(40e9),
  number(21_000),
  new Uint8Array(20).fill(0xaa),
  number(1e15),
  new Uint8Array(0),
  [],
  number(1),
  new Uint8Array(32).fill(0x11),
  new Uint8Array(32).fill(0x22),
];
const FIELDS_LEGACY: readonly Nested[] = [
  ...FIELDS_1559.slice(1, 2),
  ...FIELDS_1559.slice(3, 8),
  number(2 * CHAIN_ID + 35),
  ...FIELDS_1559.slice(10),
];
const ORDER = Buffer.from("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", "hex");
const ABOVE_HALF = Buffer.from("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1", "hex");
const HALF = Buffer.from("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0", "hex");

test("a wrong field is refused for what is wrong with it", () => {
  expect(refusalOf(typed(2, FIELDS_1559))).toBeNull();
  expect(refusalOf(RLP.encode(nested(FIELDS_LEGACY)))).toBeNull();
  const expected: readonly (readonly [number, Nested, Refusal | null])[] = [
    [0, number(CHAIN_ID + 1), "wrong-chain"],
    [0, Uint8Array.of(0, CHAIN_ID), "leading-zero"],
    [1, Uint8Array.of(0), "leading-zero"],
    [1, number(Number.MAX_SAFE_INTEGER), null],
    [1, Buffer.from("20000000000000", "hex"), "nonce-too-high"],
    [1, Buffer.from("fffffffffffffffe", "hex"), "nonce-too-high"],
    [1, [], "wrong-shape"],
    [2, number(41e9), "tip-above-fee-cap"],
    [3, Buffer.from("20000000000000", "hex"), "fee-too-high"],
    [4, Buffer.from("20000000000000", "hex"), "gas-too-high"],
    [5, new Uint8Array(0), null],
    [5, new Uint8Array(19), "bad-recipient"],
    [5, new Uint8Array(21), "bad-recipient"],
    [6, new Uint8Array(33).fill(1), "value-too-high"],
    [6, new Uint8Array(32).fill(1), null],
    [7, [number(1)], "wrong-shape"],
    [8, new Uint8Array(0), "wrong-shape"],
    [8, [[new Uint8Array(20), []]], null],
    [8, [[new Uint8Array(20), [new Uint8Array(32), new Uint8Array(32)]]], null],
    [8, [[new Uint8Array(20), [new Uint8Array(31)]]], "bad-access-list"],
    [8, [[new Uint8Array(19), []]], "bad-access-list"],
    [8, [[new Uint8Array(20)]], "missing-field"],
    [8, [[new Uint8Array(20), [], []]], "bad-access-list"],
    [8, [new Uint8Array(20)], "wrong-shape"],
    [9, number(2), "bad-parity"],
    [9, number(0), null],
    [10, new Uint8Array(0), "bad-signature"],
    [10, ORDER, "bad-signature"],
    [10, new Uint8Array(33).fill(1), "bad-signature"],
    [11, new Uint8Array(0), "bad-signature"],
    [11, HALF, null],
    [11, ABOVE_HALF, "bad-signature"],
  ];
  for (const [field, value, refusal] of expected) {
    expect(refusalOf(typed(2, FIELDS_1559.with(field, value))), `field ${field}: ${REFUSALS[refusal ?? "empty"]}`).toBe(
      refusal,
    );
  }
});

test("legacy signatures name the chain, or none", () => {
  const withV = (v: Nested): Refusal | null => refusalOf(RLP.encode(nested(FIELDS_LEGACY.with(6, v))));
  expect([27, 28, 2 * CHAIN_ID + 35, 2 * CHAIN_ID + 36].map((v) => withV(number(v)))).toEqual([null, null, null, null]);
  expect([0, 1, 26, 29, 34].map((v) => withV(number(v)))).toEqual(Array(5).fill("bad-parity"));
  expect([35, 36, 2 * CHAIN_ID + 34, 2 * CHAIN_ID + 37].map((v) => withV(number(v)))).toEqual(
    Array(4).fill("wrong-chain"),
  );
  expect(withV(new Uint8Array(9).fill(1))).toBe("bad-parity");
});

test("what is no transaction at all is refused for that", () => {
  const valid = typed(2, FIELDS_1559);
  expect(refusalOf(new Uint8Array(0))).toBe("empty");
  for (const type of [0x00, 0x03, 0x7f, 0x80, 0xbf]) expect(refusalOf(valid.with(0, type))).toBe("unknown-type");
  expect(refusalOf(Uint8Array.of(...valid, 0))).toBe("trailing-bytes");
  expect(refusalOf(valid.subarray(0, valid.length - 1))).toBe("truncated");
  expect(refusalOf(typed(2, FIELDS_1559.slice(0, 11)))).toBe("missing-field");
  expect(refusalOf(typed(2, [...FIELDS_1559, number(1)]))).toBe("trailing-bytes");
  expect(refusalOf(Uint8Array.of(2, 0x80))).toBe("wrong-shape");
  expect(refusalOf(Uint8Array.of(2, 0xf8, 0x01, 0x80))).toBe("not-canonical");
});

test("128 KiB are taken, a byte more is not", () => {
  const empty = typed(2, FIELDS_1559.with(7, new Uint8Array(60_000))).length - 60_000;
  // The headers of longer data and of a longer list take a byte more each.
  const room = MAX_TRANSACTION_BYTES - empty - 2;
  expect(typed(2, FIELDS_1559.with(7, new Uint8Array(room)))).toHaveLength(MAX_TRANSACTION_BYTES);
  expect(refusalOf(typed(2, FIELDS_1559.with(7, new Uint8Array(room))))).toBeNull();
  expect(refusalOf(typed(2, FIELDS_1559.with(7, new Uint8Array(room + 1))))).toBe("too-large");
});

/** Refusals of what @ethereumjs/tx takes: numbers that the pool cannot hold as such, and sizes that go-ethereum refuses. */
const ONLY_OURS: ReadonlySet<Refusal> = new Set(["nonce-too-high", "gas-too-high", "fee-too-high", "too-large"]);

/**
 * Both take it and see the same, or both refuse it; except ONLY_OURS, and two that the oracle takes although EIP-2930 does not
 * have them: a chain id with leading zeros, which it would write otherwise, and an access list that is an empty string.
 */
function agreesWithOracle(encoding: Uint8Array): void {
  const oracle = oracleView(encoding);
  const view = ours(encoding);
  if (typeof view !== "string" || oracle === null) {
    expect(typeof view === "string" ? null : view).toEqual(asOurs(oracle));
    return;
  }
  if (view !== "unrecoverable" && ONLY_OURS.has(view)) return;
  const wouldWriteOtherwise = !Buffer.from(oracle.encoding).equals(encoding);
  expect(wouldWriteOtherwise || listIsString(encoding), `refused as ${view}, taken by the oracle`).toBe(true);
}

function listIsString(encoding: Uint8Array): boolean {
  const fields = fieldsOf(encoding);
  return (encoding[0] ?? 0) < 0xc0 && fields[fields.length - 4] instanceof Uint8Array;
}

type View = Record<keyof Omit<OracleView, "encoding">, bigint | string>;

/** What we make of bytes, or why it is refused. */
function ours(encoding: Uint8Array): View | Refusal | "unrecoverable" {
  const transaction = emptyDecodedTransaction();
  const refusal = decoder.decode(encoding, 0, encoding.length, transaction);
  if (refusal !== null) return refusal;
  if (!recovery.recover(transaction)) return "unrecoverable";
  const { type, nonce, gas, feeCap, tip, hash, sender } = transaction;
  return view({
    ...{ type, nonce: BigInt(nonce), gas: BigInt(gas), feeCap: BigInt(feeCap), tip: BigInt(tip) },
    ...{ hash, sender },
  });
}

function asOurs(oracle: OracleView | null): View | null {
  return oracle === null ? null : view(oracle);
}

function view({ type, nonce, gas, feeCap, tip, hash, sender }: Omit<OracleView, "encoding">): View {
  return { type: BigInt(type), nonce, gas, feeCap, tip, hash: hex(hash), sender: hex(sender) };
}

function refusalOf(encoding: Uint8Array): Refusal | null {
  return decoder.decode(encoding, 0, encoding.length, emptyDecodedTransaction());
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function number(value: number): Uint8Array {
  const digits = value === 0 ? "" : value.toString(16);
  return Uint8Array.from(Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex"));
}

function typed(type: number, fields: readonly Nested[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(type), RLP.encode(nested(fields))]);
}

function forEachItem(item: Nested, visit: (item: Nested) => void): void {
  visit(item);
  if (!(item instanceof Uint8Array)) for (const inner of item) forEachItem(inner, visit);
}

/** RLP, but the length of one item, which is told by its identity, is written in `lengthBytes` bytes, or in more if it must. */
function encodedWith(item: Nested, chosen: Nested | undefined, lengthBytes: number): Buffer {
  const isList = !(item instanceof Uint8Array);
  const content = isList ? Buffer.concat(item.map((inner) => encodedWith(inner, chosen, lengthBytes))) : item;
  const isByte = !isList && content.length === 1 && (content[0] ?? 0) < 0x80;
  if (item !== chosen && isByte) return Buffer.from(content);
  const offset = isList ? 0xc0 : 0x80;
  if (isByte) return Buffer.of(offset + 1, ...content);
  if (item !== chosen && content.length <= 55) return Buffer.concat([Buffer.of(offset + content.length), content]);
  const least = Math.ceil(content.length.toString(16).length / 2);
  const bytes = item === chosen ? Math.max(least, lengthBytes) : least;
  const length = Buffer.from(content.length.toString(16).padStart(2 * bytes, "0"), "hex");
  return Buffer.concat([Buffer.of(offset + 55 + bytes), length, content]);
}

/** As the encoder's own type wants it. */
function nested(fields: Nested): NestedInput {
  return fields instanceof Uint8Array ? fields : fields.map(nested);
}
type NestedInput = Uint8Array | NestedInput[];

type Mutation = (bytes: Uint8Array) => Uint8Array;

/** A place in bytes of any length, more often near their beginning, where the structure is. */
const place = fc.oneof(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.double({ min: 0, max: 0.2, noNaN: true }));

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(
    ([at, bit]): Mutation =>
      (bytes) => {
        const index = Math.floor(at * bytes.length);
        return bytes.with(index, (bytes[index] ?? 0) ^ (1 << bit));
      },
  ),
  fc.tuple(place, fc.nat(255)).map(
    ([at, byte]): Mutation =>
      (bytes) =>
        splice(bytes, at, 0, [byte]),
  ),
  fc.tuple(place, fc.integer({ min: 1, max: 4 })).map(
    ([at, count]): Mutation =>
      (bytes) =>
        splice(bytes, at, count, []),
  ),
  place.map(
    (at): Mutation =>
      (bytes) =>
        bytes.slice(0, Math.floor(at * bytes.length)),
  ),
);

function splice(bytes: Uint8Array, at: number, count: number, inserted: readonly number[]): Uint8Array {
  const list = [...bytes];
  list.splice(Math.floor(at * bytes.length), count, ...inserted);
  return Uint8Array.from(list);
}

function mutated([bytes, mutation]: readonly [Uint8Array, Mutation]): Uint8Array {
  return mutation(bytes);
}

/** Changes of the fields, which are then encoded anew, with right lengths. */
type Restructuring = (fields: readonly Nested[]) => readonly Nested[];

const index = fc.nat(11);
const restructuring: fc.Arbitrary<Restructuring> = fc.oneof(
  index.map(
    (i): Restructuring =>
      (fields) =>
        fields.filter((_, at) => at !== i % fields.length),
  ),
  fc.tuple(index, fc.uint8Array({ maxLength: 34 })).map(
    ([i, bytes]): Restructuring =>
      (fields) =>
        fields.toSpliced(i, 0, bytes),
  ),
  fc.tuple(index, fc.uint8Array({ maxLength: 34 })).map(
    ([i, bytes]): Restructuring =>
      (fields) =>
        fields.with(i % fields.length, bytes),
  ),
  index.map(
    (i): Restructuring =>
      (fields) =>
        fields.with(i % fields.length, []),
  ),
  index.map(
    (i): Restructuring =>
      (fields) => {
        const field = fields[i % fields.length];
        return field instanceof Uint8Array ? fields.with(i % fields.length, Uint8Array.of(0, ...field)) : fields;
      },
  ),
  fc
    .array(fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.array(fc.uint8Array({ minLength: 18, maxLength: 32 }))), {
      maxLength: 3,
    })
    .map(
      (list): Restructuring =>
        (fields) =>
          fields.with(Math.min(8, fields.length - 1), list),
    ),
);

function restructured([bytes, change]: readonly [Uint8Array, Restructuring]): Uint8Array {
  const changed = RLP.encode(nested(change(fieldsOf(bytes))));
  return (bytes[0] ?? 0) < 0xc0 ? Buffer.concat([bytes.subarray(0, 1), changed]) : changed;
}

function fieldsOf(encoding: Uint8Array): readonly Nested[] {
  const fields = RLP.decode(encoding.subarray((encoding[0] ?? 0) < 0xc0 ? 1 : 0));
  if (fields instanceof Uint8Array) throw new Error("The encoding is no list.");
  return fields;
}
