/** @ethereumjs/tx, an implementation that is not ours: what it makes of bytes, and transactions that it signed. */
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { createTx, createTxFromRLP, type TypedTransaction, type TypedTxData } from "@ethereumjs/tx";
import fc from "fast-check";

export const CHAIN_ID = 1;

/** London is the first with all three types; later ones add limits that belong to a block's rules, not to the encoding. */
const common = new Common({ chain: Mainnet, hardfork: Hardfork.London });

/** What a pool needs to know of bytes that are a signed transaction. */
export interface OracleView {
  readonly type: number;
  readonly nonce: bigint;
  readonly gas: bigint;
  readonly feeCap: bigint;
  readonly tip: bigint;
  readonly hash: Uint8Array;
  readonly sender: Uint8Array;
  /** What the oracle would write. Unlike what it read where that was not the canonical form. */
  readonly encoding: Uint8Array;
}

/** The transaction in `bytes`, or null where the oracle finds none that somebody signed. */
export function oracleView(bytes: Uint8Array): OracleView | null {
  try {
    const tx = createTxFromRLP(bytes, { common });
    if (!tx.isSigned()) return null;
    const sender = tx.getSenderAddress().bytes;
    const fees =
      "maxFeePerGas" in tx
        ? { feeCap: tx.maxFeePerGas, tip: tx.maxPriorityFeePerGas }
        : { feeCap: tx.gasPrice, tip: tx.gasPrice };
    const { type, nonce, gasLimit: gas } = tx;
    return { type, nonce, gas, ...fees, hash: tx.hash(), sender, encoding: tx.serialize() };
  } catch {
    return null;
  }
}

const bytes = (minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength });

/** Small and large alike. */
const number = (bits: number): fc.Arbitrary<bigint> =>
  fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n }));

const accessList = fc.array(fc.tuple(bytes(20), fc.array(bytes(32), { maxLength: 3 })), { maxLength: 3 });

/** Unsigned, of any type; fees such that the tip is never above the cap. */
const transactionData: fc.Arbitrary<TypedTxData> = fc
  .record({
    type: fc.constantFrom(0, 1, 2),
    nonce: number(53),
    gasLimit: number(53),
    fees: fc.tuple(number(53), number(53)),
    to: fc.option(bytes(20)),
    value: number(256),
    data: fc.oneof(bytes(0, 3), bytes(0, 300)),
    accessList,
  })
  .map(({ fees: [one, other], type, to, accessList, ...rest }) => {
    const common = { ...rest, ...(to === null ? {} : { to }) };
    const [low, high] = one < other ? [one, other] : [other, one];
    if (type === 0) return { ...common, type, gasPrice: low };
    if (type === 1) return { ...common, type, chainId: CHAIN_ID, accessList, gasPrice: low };
    return { ...common, type, chainId: CHAIN_ID, accessList, maxPriorityFeePerGas: low, maxFeePerGas: high };
  });

const privateKey = fc
  .bigInt({ min: 1n, max: 2n ** 255n })
  .map((key) => Uint8Array.from(Buffer.from(key.toString(16).padStart(64, "0"), "hex")));

/** Encodings of transactions that the oracle signed; legacy ones with and without EIP-155. */
export const signedEncoding: fc.Arbitrary<Uint8Array> = fc
  .record({ data: transactionData, privateKey, protect: fc.boolean() })
  .map(({ data, privateKey, protect }) => signed(data, privateKey, protect).serialize());

/** Before Spurious Dragon signatures named no chain. */
const unprotected = new Common({ chain: Mainnet, hardfork: Hardfork.Homestead });

function signed(data: TypedTxData, privateKey: Uint8Array, protect: boolean): TypedTransaction {
  const isLegacy = data.type === 0;
  return createTx(data, { common: isLegacy && !protect ? unprotected : common }).sign(privateKey);
}
