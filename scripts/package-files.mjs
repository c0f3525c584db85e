// What the published package must have besides what dist/ is made of; scripts/prepack.mjs and the tests look.

/** Names in prebuilds/: Node 20, 22, 24 and 26 on Linux x64 and arm64, with glibc. Elsewhere they are compiled on first use. */
export const BINARIES = ["linux-x64", "linux-arm64"].flatMap((machine) => [
  ...[115, 127, 137, 147].map((abi) => `gc-probe-${machine}-${abi}.node`),
  `slab-pool-${machine}.node`,
]);
