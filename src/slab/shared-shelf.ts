/**
 * The slots of one class in a pool of several threads. Everything that the threads share lies in one SharedArrayBuffer.
 *
 * Each thread keeps free slots ready in a magazine, and takes and gives others in packets of 64. A packet that is full is a set
 * bit in one bitmap, one that is empty a set bit in another; whoever clears the bit has the packet for itself. There is no list
 * and no pointer, so nothing can change behind a thread's back and look the same (the ABA problem of lock-free stacks). Whoever
 * takes the place of a thread that has ended takes its magazine.
 *
 * What makes it fast is that nothing in `alloc` and `free` is an atomic operation but once in 64 times: a slot is its thread's
 * alone from `alloc` to `free` and in a magazine. One mistake can hide from that: two threads that free one handle at the very same
 * moment. The slot is then in two magazines, and `alloc` passes over it the second time, so that nobody gets another's slot.
 */
import { ClosedError, ExhaustedError } from "./errors.ts";
import { countLive, explain, freshStamp, type HandleLayout } from "./handles.ts";
import type { ClassLayout } from "./layout.ts";
import type { PoolShelf } from "./shelf.ts";

const PACKET_SLOTS = 64;
/** Two packets, so that a thread that allocates and frees in turn does not go to the others each time. */
const MAGAZINE_SLOTS = 2 * PACKET_SLOTS;
const WORD_BITS = 32;
/** A cache line of 64 bytes, and the one that processors fetch with it: what a thread writes all the time has them for itself. */
const LINE_INTEGERS = 32;

/** Packets for all slots, and two for each thread to put what it gives back. */
function packetsOf(slots: number, threads: number): number {
  return Math.ceil(slots / PACKET_SLOTS) + 2 * threads;
}

function roundUp(length: number): number {
  return Math.ceil(length / 2) * 2;
}

function wordsOf(packets: number): number {
  return roundUp(packets / WORD_BITS);
}

/** Bytes that the threads share for a class: a multiple of 8. */
export function sharedBytes({ slots }: ClassLayout, threads: number): number {
  const packets = packetsOf(slots, threads);
  const numbers = slots + packets * PACKET_SLOTS + threads * MAGAZINE_SLOTS;
  return 8 * numbers + 4 * (roundUp(packets) + threads * LINE_INTEGERS) + 2 * 4 * wordsOf(packets);
}

export interface SharedShelfOptions {
  readonly handles: HandleLayout;
  readonly layout: ClassLayout;
  /** That may have the pool at once, and which of them this is, from 0 on. */
  readonly threads: number;
  readonly thread: number;
  /** The class's part is `shared[at]` and what follows, `sharedBytes` long; `at` is a multiple of 8. */
  readonly shared: SharedArrayBuffer;
  readonly at: number;
}

export interface SharedPoolShelf extends PoolShelf {
  /** Puts all slots into packets. Once, before any other thread has the pool. */
  prepare(): void;
}

export function sharedShelf({ handles, layout, threads, thread, shared, at }: SharedShelfOptions): SharedPoolShelf {
  const { slotMask, base, step, lastGeneration } = handles;
  const { slots, slotBytes, firstSlot, offset } = layout;
  const packetCount = packetsOf(slots, threads);
  const words = wordsOf(packetCount);
  let from = at;
  const numbers = (length: number): Float64Array => {
    from += length * 8;
    return new Float64Array(shared, from - length * 8, length);
  };
  const integers = (length: number): Int32Array => {
    from += roundUp(length) * 4;
    return new Int32Array(shared, from - roundUp(length) * 4, length);
  };
  const stamps = numbers(slots);
  /** Of free slots, what their handles will be. */
  const packets = numbers(packetCount * PACKET_SLOTS);
  const magazine = numbers(threads * MAGAZINE_SLOTS).subarray(thread * MAGAZINE_SLOTS, (thread + 1) * MAGAZINE_SLOTS);
  /** How many slots are in each packet. */
  const counts = integers(packetCount);
  /** How many are in this thread's magazine. */
  const ready = integers(threads * LINE_INTEGERS).subarray(thread * LINE_INTEGERS, thread * LINE_INTEGERS + 1);
  const full = integers(words);
  const empty = integers(words);
  /** Where this thread looks first, so that threads do not meet. */
  let hint = Math.floor((thread * words) / threads);
  let isClosed = false;

  /** Clears a set bit, which gives this thread its packet; -1: none is set. */
  function claim(bits: Int32Array): number {
    for (let n = 0; n < words; n++) {
      const word = (hint + n) % words;
      for (let set = Atomics.load(bits, word); set !== 0; set = Atomics.load(bits, word)) {
        const lowest = set & -set;
        if (Atomics.compareExchange(bits, word, set, set & ~lowest) !== set) continue;
        hint = word;
        return word * WORD_BITS + 31 - Math.clz32(lowest);
      }
    }
    return -1;
  }

  /** A full packet into the magazine, which is empty. */
  function refill(): void {
    if (isClosed) throw new ClosedError();
    const packet = claim(full);
    if (packet < 0) {
      const elsewhere = `, or ready for other threads, which keep up to ${MAGAZINE_SLOTS} each`;
      throw new ExhaustedError(slots, slotBytes, elsewhere);
    }
    const count = counts[packet] as number;
    for (let n = 0; n < count; n++) magazine[n] = packets[packet * PACKET_SLOTS + n] as number;
    ready[0] = count;
    setBit(empty, packet);
  }

  /** The older half of the magazine, which is full, into an empty packet, of which there is always one. */
  function giveBack(): void {
    const packet = claim(empty);
    for (let n = 0; n < PACKET_SLOTS; n++) packets[packet * PACKET_SLOTS + n] = magazine[n] as number;
    counts[packet] = PACKET_SLOTS;
    magazine.copyWithin(0, PACKET_SLOTS, MAGAZINE_SLOTS);
    ready[0] = MAGAZINE_SLOTS - PACKET_SLOTS;
    setBit(full, packet);
  }

  /** A handle that was refused, on its way to `refusal`: as an argument it would be boxed, also where none is refused. */
  const refused = new Float64Array(1);

  function refusal(isFree: boolean): Error {
    if (isClosed) return new ClosedError();
    const handle = refused[0] as number;
    return explain(handles, handle, stamps[(handle & slotMask) - firstSlot], isFree);
  }

  /** Drops from the magazine what is not free: it was in two magazines, and the other one was faster. */
  function passOver(): void {
    for (;;) {
      if (ready[0] === 0) refill();
      const last = (ready[0] as number) - 1;
      const handle = magazine[last] as number;
      if (stamps[(handle & slotMask) - firstSlot] === step - 1 - handle) return;
      ready[0] = last;
    }
  }

  return {
    slotBytes,
    slots,
    prepare(): void {
      for (let index = 0; index < slots; index++) {
        const packet = Math.floor(index / PACKET_SLOTS);
        stamps[index] = freshStamp(handles, firstSlot + index);
        packets[index] = base + firstSlot + index + step;
        counts[packet] = (counts[packet] as number) + 1;
      }
      for (let packet = 0; packet < packetCount; packet++) {
        setBit((counts[packet] as number) > 0 ? full : empty, packet);
      }
    },
    alloc(): number {
      if (ready[0] === 0 || isClosed) refill();
      let last = (ready[0] as number) - 1;
      let handle = magazine[last] as number;
      if (stamps[(handle & slotMask) - firstSlot] !== step - 1 - handle) {
        passOver();
        last = (ready[0] as number) - 1;
        handle = magazine[last] as number;
      }
      ready[0] = last;
      stamps[(handle & slotMask) - firstSlot] = handle;
      return handle;
    },
    free(handle: number): void {
      const index = (handle & slotMask) - firstSlot;
      if (stamps[index] !== handle || isClosed) {
        refused[0] = handle;
        throw refusal(true);
      }
      stamps[index] = -1 - handle;
      if (handle >= lastGeneration) return;
      if (ready[0] === MAGAZINE_SLOTS) giveBack();
      const count = ready[0] as number;
      magazine[count] = handle + step;
      ready[0] = count + 1;
    },
    offsetOf(handle: number): number {
      const index = (handle & slotMask) - firstSlot;
      if (stamps[index] !== handle || isClosed) {
        refused[0] = handle;
        throw refusal(false);
      }
      return offset + index * slotBytes;
    },
    isExhausted: () => ready[0] === 0 && !isClosed && !isAnySet(full),
    inUse: () => countLive(stamps),
    close(): void {
      isClosed = true;
    },
  };
}

function isAnySet(bits: Int32Array): boolean {
  for (let word = 0; word < bits.length; word++) if (Atomics.load(bits, word) !== 0) return true;
  return false;
}

function setBit(bits: Int32Array, bit: number): void {
  Atomics.or(bits, Math.floor(bit / WORD_BITS), 1 << (bit % WORD_BITS));
}
