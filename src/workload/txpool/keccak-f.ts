/**
 * The permutation keccak-f[1600] (FIPS 202, section 3) over 32-bit words, without garbage.
 *
 * A lane of 64 bits is two words, the low one first: lane (x, y) is words 2 (x + 5 y) and 2 (x + 5 y) + 1. Int32Array, since
 * V8 keeps its numbers unboxed also before it has optimised anything.
 */

type Word =
  | 0
  | 1
  | 2
  | 3
  | 4
  | 5
  | 6
  | 7
  | 8
  | 9
  | 10
  | 11
  | 12
  | 13
  | 14
  | 15
  | 16
  | 17
  | 18
  | 19
  | 20
  | 21
  | 22
  | 23
  | 24
  | 25
  | 26
  | 27
  | 28
  | 29
  | 30
  | 31
  | 32
  | 33
  | 34
  | 35
  | 36
  | 37
  | 38
  | 39
  | 40
  | 41
  | 42
  | 43
  | 44
  | 45
  | 46
  | 47
  | 48
  | 49;
/** 50 words. */
type State = Int32Array & { [word in Word]: number };

const ROUNDS = 24;

/** Of each round: low word, high word. */
// biome-ignore format: a pair a line
const CONSTANTS = new Int32Array([
  0x00000001, 0x00000000,
  0x00008082, 0x00000000,
  0x0000808a, 0x80000000,
  0x80008000, 0x80000000,
  0x0000808b, 0x00000000,
  0x80000001, 0x00000000,
  0x80008081, 0x80000000,
  0x00008009, 0x80000000,
  0x0000008a, 0x00000000,
  0x00000088, 0x00000000,
  0x80008009, 0x00000000,
  0x8000000a, 0x00000000,
  0x8000808b, 0x00000000,
  0x0000008b, 0x80000000,
  0x00008089, 0x80000000,
  0x00008003, 0x80000000,
  0x00008002, 0x80000000,
  0x00000080, 0x80000000,
  0x0000800a, 0x00000000,
  0x8000000a, 0x80000000,
  0x80008081, 0x80000000,
  0x00008080, 0x80000000,
  0x80000001, 0x00000000,
  0x80008008, 0x80000000,
]);

export class KeccakState {
  /** What the sponge's blocks go into: 50 words. */
  readonly words = new Int32Array(50) as State;
  readonly #other = new Int32Array(50) as State;

  permute(): void {
    // Rounds go from one state to the other; their number is even, so the last one ends in `words`.
    for (let i = 0; i < 2 * ROUNDS; i += 4) {
      round(this.words, this.#other, CONSTANTS[i] ?? 0, CONSTANTS[i + 1] ?? 0);
      round(this.#other, this.words, CONSTANTS[i + 2] ?? 0, CONSTANTS[i + 3] ?? 0);
    }
  }
}

/**
 * One round from `a` to `b`. Unrolled: lanes that a loop would keep in an array stay in registers, which makes it three times
 * as fast. `d` is what theta adds to a column; `r` a row after rho and pi; `l` and `h` are the low and the high word.
 */
function round(a: State, b: State, constantLo: number, constantHi: number): void {
  // Theta: the parity of each column, and what it adds to the lanes of its neighbours.
  const c0l = a[0] ^ a[10] ^ a[20] ^ a[30] ^ a[40];
  const c0h = a[1] ^ a[11] ^ a[21] ^ a[31] ^ a[41];
  const c1l = a[2] ^ a[12] ^ a[22] ^ a[32] ^ a[42];
  const c1h = a[3] ^ a[13] ^ a[23] ^ a[33] ^ a[43];
  const c2l = a[4] ^ a[14] ^ a[24] ^ a[34] ^ a[44];
  const c2h = a[5] ^ a[15] ^ a[25] ^ a[35] ^ a[45];
  const c3l = a[6] ^ a[16] ^ a[26] ^ a[36] ^ a[46];
  const c3h = a[7] ^ a[17] ^ a[27] ^ a[37] ^ a[47];
  const c4l = a[8] ^ a[18] ^ a[28] ^ a[38] ^ a[48];
  const c4h = a[9] ^ a[19] ^ a[29] ^ a[39] ^ a[49];
  const d0l = c4l ^ ((c1l << 1) | (c1h >>> 31));
  const d0h = c4h ^ ((c1h << 1) | (c1l >>> 31));
  const d1l = c0l ^ ((c2l << 1) | (c2h >>> 31));
  const d1h = c0h ^ ((c2h << 1) | (c2l >>> 31));
  const d2l = c1l ^ ((c3l << 1) | (c3h >>> 31));
  const d2h = c1h ^ ((c3h << 1) | (c3l >>> 31));
  const d3l = c2l ^ ((c4l << 1) | (c4h >>> 31));
  const d3h = c2h ^ ((c4h << 1) | (c4l >>> 31));
  const d4l = c3l ^ ((c0l << 1) | (c0h >>> 31));
  const d4h = c3h ^ ((c0h << 1) | (c0l >>> 31));
  let l = 0;
  let h = 0;
  // Row 0: rho and pi bring its lanes, chi mixes them.
  const r0x0l = a[0] ^ d0l;
  const r0x0h = a[1] ^ d0h;
  l = a[12] ^ d1l;
  h = a[13] ^ d1h;
  const r0x1l = (h << 12) | (l >>> 20);
  const r0x1h = (l << 12) | (h >>> 20);
  l = a[24] ^ d2l;
  h = a[25] ^ d2h;
  const r0x2l = (h << 11) | (l >>> 21);
  const r0x2h = (l << 11) | (h >>> 21);
  l = a[36] ^ d3l;
  h = a[37] ^ d3h;
  const r0x3l = (l << 21) | (h >>> 11);
  const r0x3h = (h << 21) | (l >>> 11);
  l = a[48] ^ d4l;
  h = a[49] ^ d4h;
  const r0x4l = (l << 14) | (h >>> 18);
  const r0x4h = (h << 14) | (l >>> 18);
  b[0] = r0x0l ^ (~r0x1l & r0x2l) ^ constantLo;
  b[1] = r0x0h ^ (~r0x1h & r0x2h) ^ constantHi;
  b[2] = r0x1l ^ (~r0x2l & r0x3l);
  b[3] = r0x1h ^ (~r0x2h & r0x3h);
  b[4] = r0x2l ^ (~r0x3l & r0x4l);
  b[5] = r0x2h ^ (~r0x3h & r0x4h);
  b[6] = r0x3l ^ (~r0x4l & r0x0l);
  b[7] = r0x3h ^ (~r0x4h & r0x0h);
  b[8] = r0x4l ^ (~r0x0l & r0x1l);
  b[9] = r0x4h ^ (~r0x0h & r0x1h);
  // Row 1: rho and pi bring its lanes, chi mixes them.
  l = a[6] ^ d3l;
  h = a[7] ^ d3h;
  const r1x0l = (l << 28) | (h >>> 4);
  const r1x0h = (h << 28) | (l >>> 4);
  l = a[18] ^ d4l;
  h = a[19] ^ d4h;
  const r1x1l = (l << 20) | (h >>> 12);
  const r1x1h = (h << 20) | (l >>> 12);
  l = a[20] ^ d0l;
  h = a[21] ^ d0h;
  const r1x2l = (l << 3) | (h >>> 29);
  const r1x2h = (h << 3) | (l >>> 29);
  l = a[32] ^ d1l;
  h = a[33] ^ d1h;
  const r1x3l = (h << 13) | (l >>> 19);
  const r1x3h = (l << 13) | (h >>> 19);
  l = a[44] ^ d2l;
  h = a[45] ^ d2h;
  const r1x4l = (h << 29) | (l >>> 3);
  const r1x4h = (l << 29) | (h >>> 3);
  b[10] = r1x0l ^ (~r1x1l & r1x2l);
  b[11] = r1x0h ^ (~r1x1h & r1x2h);
  b[12] = r1x1l ^ (~r1x2l & r1x3l);
  b[13] = r1x1h ^ (~r1x2h & r1x3h);
  b[14] = r1x2l ^ (~r1x3l & r1x4l);
  b[15] = r1x2h ^ (~r1x3h & r1x4h);
  b[16] = r1x3l ^ (~r1x4l & r1x0l);
  b[17] = r1x3h ^ (~r1x4h & r1x0h);
  b[18] = r1x4l ^ (~r1x0l & r1x1l);
  b[19] = r1x4h ^ (~r1x0h & r1x1h);
  // Row 2: rho and pi bring its lanes, chi mixes them.
  l = a[2] ^ d1l;
  h = a[3] ^ d1h;
  const r2x0l = (l << 1) | (h >>> 31);
  const r2x0h = (h << 1) | (l >>> 31);
  l = a[14] ^ d2l;
  h = a[15] ^ d2h;
  const r2x1l = (l << 6) | (h >>> 26);
  const r2x1h = (h << 6) | (l >>> 26);
  l = a[26] ^ d3l;
  h = a[27] ^ d3h;
  const r2x2l = (l << 25) | (h >>> 7);
  const r2x2h = (h << 25) | (l >>> 7);
  l = a[38] ^ d4l;
  h = a[39] ^ d4h;
  const r2x3l = (l << 8) | (h >>> 24);
  const r2x3h = (h << 8) | (l >>> 24);
  l = a[40] ^ d0l;
  h = a[41] ^ d0h;
  const r2x4l = (l << 18) | (h >>> 14);
  const r2x4h = (h << 18) | (l >>> 14);
  b[20] = r2x0l ^ (~r2x1l & r2x2l);
  b[21] = r2x0h ^ (~r2x1h & r2x2h);
  b[22] = r2x1l ^ (~r2x2l & r2x3l);
  b[23] = r2x1h ^ (~r2x2h & r2x3h);
  b[24] = r2x2l ^ (~r2x3l & r2x4l);
  b[25] = r2x2h ^ (~r2x3h & r2x4h);
  b[26] = r2x3l ^ (~r2x4l & r2x0l);
  b[27] = r2x3h ^ (~r2x4h & r2x0h);
  b[28] = r2x4l ^ (~r2x0l & r2x1l);
  b[29] = r2x4h ^ (~r2x0h & r2x1h);
  // Row 3: rho and pi bring its lanes, chi mixes them.
  l = a[8] ^ d4l;
  h = a[9] ^ d4h;
  const r3x0l = (l << 27) | (h >>> 5);
  const r3x0h = (h << 27) | (l >>> 5);
  l = a[10] ^ d0l;
  h = a[11] ^ d0h;
  const r3x1l = (h << 4) | (l >>> 28);
  const r3x1h = (l << 4) | (h >>> 28);
  l = a[22] ^ d1l;
  h = a[23] ^ d1h;
  const r3x2l = (l << 10) | (h >>> 22);
  const r3x2h = (h << 10) | (l >>> 22);
  l = a[34] ^ d2l;
  h = a[35] ^ d2h;
  const r3x3l = (l << 15) | (h >>> 17);
  const r3x3h = (h << 15) | (l >>> 17);
  l = a[46] ^ d3l;
  h = a[47] ^ d3h;
  const r3x4l = (h << 24) | (l >>> 8);
  const r3x4h = (l << 24) | (h >>> 8);
  b[30] = r3x0l ^ (~r3x1l & r3x2l);
  b[31] = r3x0h ^ (~r3x1h & r3x2h);
  b[32] = r3x1l ^ (~r3x2l & r3x3l);
  b[33] = r3x1h ^ (~r3x2h & r3x3h);
  b[34] = r3x2l ^ (~r3x3l & r3x4l);
  b[35] = r3x2h ^ (~r3x3h & r3x4h);
  b[36] = r3x3l ^ (~r3x4l & r3x0l);
  b[37] = r3x3h ^ (~r3x4h & r3x0h);
  b[38] = r3x4l ^ (~r3x0l & r3x1l);
  b[39] = r3x4h ^ (~r3x0h & r3x1h);
  // Row 4: rho and pi bring its lanes, chi mixes them.
  l = a[4] ^ d2l;
  h = a[5] ^ d2h;
  const r4x0l = (h << 30) | (l >>> 2);
  const r4x0h = (l << 30) | (h >>> 2);
  l = a[16] ^ d3l;
  h = a[17] ^ d3h;
  const r4x1l = (h << 23) | (l >>> 9);
  const r4x1h = (l << 23) | (h >>> 9);
  l = a[28] ^ d4l;
  h = a[29] ^ d4h;
  const r4x2l = (h << 7) | (l >>> 25);
  const r4x2h = (l << 7) | (h >>> 25);
  l = a[30] ^ d0l;
  h = a[31] ^ d0h;
  const r4x3l = (h << 9) | (l >>> 23);
  const r4x3h = (l << 9) | (h >>> 23);
  l = a[42] ^ d1l;
  h = a[43] ^ d1h;
  const r4x4l = (l << 2) | (h >>> 30);
  const r4x4h = (h << 2) | (l >>> 30);
  b[40] = r4x0l ^ (~r4x1l & r4x2l);
  b[41] = r4x0h ^ (~r4x1h & r4x2h);
  b[42] = r4x1l ^ (~r4x2l & r4x3l);
  b[43] = r4x1h ^ (~r4x2h & r4x3h);
  b[44] = r4x2l ^ (~r4x3l & r4x4l);
  b[45] = r4x2h ^ (~r4x3h & r4x4h);
  b[46] = r4x3l ^ (~r4x4l & r4x0l);
  b[47] = r4x3h ^ (~r4x4h & r4x0h);
  b[48] = r4x4l ^ (~r4x0l & r4x1l);
  b[49] = r4x4h ^ (~r4x0h & r4x1h);
}
