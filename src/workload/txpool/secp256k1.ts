/**
 * Public keys from signatures on the curve secp256k1: bitcoin-core's library where this package has a binary of it, else
 * @noble/curves, which takes 20 to 50 times as long.
 *
 * The binaries are those of the npm package secp256k1, copied when gcspike is built: a dependency on that package would bring
 * an install script and a third implementation that nothing here needs.
 */
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { packageRoot } from "../../lib/package.ts";

/** 0x04, then both coordinates. */
export const PUBLIC_KEY_BYTES = 65;

/**
 * Writes the public key whose owner signed `hash` into `publicKey`. False: there is none.
 * `signature` is r and s, 32 bytes each; `parity` that of the y coordinate of the point whose x is r.
 */
export type Recover = (publicKey: Uint8Array, signature: Uint8Array, parity: 0 | 1, hash: Uint8Array) => boolean;

export interface Curve {
  readonly name: "native" | "javascript";
  readonly recover: Recover;
}

/** What the npm package's addon exports, of which 0 means success. */
interface Addon {
  readonly Secp256k1: new () => {
    ecdsaRecover(publicKey: Uint8Array, signature: Uint8Array, parity: number, hash: Uint8Array): number;
  };
}

export const javaScriptCurve: Curve = {
  name: "javascript",
  recover(publicKey, signature, parity, hash) {
    const recovered = new Uint8Array(1 + signature.length);
    recovered[0] = parity;
    recovered.set(signature, 1);
    try {
      const compressed = secp256k1.recoverPublicKey(recovered, hash, { prehash: false });
      publicKey.set(secp256k1.Point.fromBytes(compressed).toBytes(false));
      return true;
    } catch {
      // noble throws where a signature has no public key.
      return false;
    }
  },
};

/** The fastest that works here. */
export function loadCurve(): Curve {
  return nativeCurve() ?? javaScriptCurve;
}

function nativeCurve(): Curve | null {
  const require = createRequire(import.meta.url);
  const folder = join(packageRoot(), "dist/workload/secp256k1", `${process.platform}-${process.arch}`);
  if (!existsSync(folder)) return null;
  // On Linux there is one for each C library; only the right one loads.
  for (const file of readdirSync(folder).sort()) {
    try {
      const { Secp256k1 }: Addon = require(join(folder, file));
      const addon = new Secp256k1();
      return {
        name: "native",
        recover: (publicKey, signature, parity, hash) => addon.ecdsaRecover(publicKey, signature, parity, hash) === 0,
      };
    } catch {
      // Built for the other C library.
    }
  }
  return null;
}
