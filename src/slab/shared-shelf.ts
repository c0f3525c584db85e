/**
 * The slots of one class in a pool of several threads. Everything that the threads share lies in one SharedArrayBuffer.
 *
 * Each thread keeps free slots ready in a magazine, and takes and gives others in packets of 64. A packet's state says that it is
 * full, empty, or whose it is; whoever swaps the state has the packet for itself. There is no list and no pointer, so nothing can
 * change behind a thread's back and look the same (the ABA problem of lock-free stacks). So that no thread has to look at every state,
 * two bitmaps say where full and empty packets are: each of these has its bit set, or a thread is about to set it.
 *
 * A worker can be terminated in the middle of this, also between two atomic operations: V8 looks whether it has to stop in each of
 * them. So one write decides whether a packet is moved (`State`), and whoever takes the place of a thread that has ended takes its
 * magazine and ends or undoes what that thread had begun.
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
const WORD_SHIFT = 5;
const WORD_BITS = 2 ** WORD_SHIFT;
/** How often an empty packet is looked for: there is one, but it can turn up where this thread looked a moment ago. */
const LOOKS = 100;
/** A cache line of 64 bytes, and the one that processors fetch with it: what a thread writes all the time has them for itself. */
const LINE_INTEGERS = 32;

/** Of a packet. The others are a thread's own: added to `OWN_STATES * thread`. */
const State = {
  empty: 0,
  full: 1,
  /** Taken when it was full, to be copied into the magazine; copied. */
  draining: 2,
  drained: 3,
  /** Taken when it was empty, to be copied into from the magazine; copied. */
  filling: 4,
  filled: 5,
} as const;
const OWN_STATES = 4;
type Movable = typeof State.empty | typeof State.full;

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
  /**
   * Ends or undoes what a thread had begun that ended in this place. Whoever does this may end in the middle of it, too: each of its
   * steps can be done twice.
   */
  settle(): void;
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
  /** Of free slots, what their handles will be; a packet with fewer than it has room for ends with a 0. */
  const packets = numbers(packetCount * PACKET_SLOTS);
  const magazine = numbers(threads * MAGAZINE_SLOTS).subarray(thread * MAGAZINE_SLOTS, (thread + 1) * MAGAZINE_SLOTS);
  const states = integers(packetCount);
  /** How many are in this thread's magazine. */
  const ready = integers(threads * LINE_INTEGERS).subarray(thread * LINE_INTEGERS, thread * LINE_INTEGERS + 1);
  const full = integers(words);
  const empty = integers(words);
  /** Where this thread looks first, so that threads do not meet. */
  let hint = Math.floor((thread * words) / threads);
  const own = OWN_STATES * thread;
  let isClosed = false;

  /** Gives this thread a packet, in its state `taken`. -1: there is none. */
  function take(from: Movable, taken: number): number {
    const bits = from === State.full ? full : empty;
    for (let n = 0; n < words; n++) {
      const word = (hint + n) % words;
      for (let set = Atomics.load(bits, word); set !== 0; set = Atomics.load(bits, word)) {
        const lowest = set & -set;
        if (Atomics.compareExchange(bits, word, set, set & ~lowest) !== set) continue;
        const packet = word * WORD_BITS + 31 - Math.clz32(lowest);
        // Not so where the bit is left from an earlier time: the packet's holder sets it again.
        if (Atomics.compareExchange(states, packet, from, taken) !== from) continue;
        hint = word;
        return packet;
      }
    }
    return -1;
  }

  /** Lets others find a packet. */
  function show(packet: number, state: Movable): void {
    Atomics.or(state === State.full ? full : empty, packet >>> WORD_SHIFT, 1 << packet);
  }

  function put(packet: number, state: Movable): void {
    Atomics.store(states, packet, state);
    show(packet, state);
  }

  /** A full packet into the magazine, which is empty. */
  function refill(): void {
    if (isClosed) throw new ClosedError();
    const packet = take(State.full, State.draining + own);
    if (packet < 0) {
      const elsewhere = `, or ready for other threads, which keep up to ${MAGAZINE_SLOTS} each`;
      throw new ExhaustedError(slots, slotBytes, elsewhere);
    }
    for (let n = 0; n < PACKET_SLOTS; n++) magazine[n] = packets[packet * PACKET_SLOTS + n] as number;
    states[packet] = State.drained + own;
    endRefill(packet);
  }

  function endRefill(packet: number): void {
    let count = PACKET_SLOTS;
    while (magazine[count - 1] === 0) count--;
    ready[0] = count;
    put(packet, State.empty);
  }

  /** The older half of the magazine, which is full, into an empty packet. */
  function giveBack(): void {
    let packet = -1;
    for (let look = 0; packet < 0 && look < LOOKS; look++) packet = take(State.empty, State.filling + own);
    if (packet < 0) {
      // Only where threads freed handles at the same moment too often: more slots came back than there are, and one goes.
      ready[0] = MAGAZINE_SLOTS - 1;
      return;
    }
    for (let n = 0; n < PACKET_SLOTS; n++) packets[packet * PACKET_SLOTS + n] = magazine[n] as number;
    states[packet] = State.filled + own;
    endGiveBack(packet);
  }

  function endGiveBack(packet: number): void {
    magazine.copyWithin(0, PACKET_SLOTS, MAGAZINE_SLOTS);
    ready[0] = MAGAZINE_SLOTS - PACKET_SLOTS;
    put(packet, State.full);
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
        stamps[index] = freshStamp(handles, firstSlot + index);
        packets[index] = base + firstSlot + index + step;
      }
      for (let packet = 0; packet < packetCount; packet++)
        put(packet, packet * PACKET_SLOTS < slots ? State.full : State.empty);
    },
    settle(): void {
      for (let packet = 0; packet < packetCount; packet++) {
        const state = Atomics.load(states, packet);
        // A bit may be missing: it was cleared by a thread that ended before it had the packet.
        if (state === State.empty || state === State.full) show(packet, state);
        else if (state === State.draining + own) put(packet, State.full);
        else if (state === State.drained + own) endRefill(packet);
        else if (state === State.filling + own) put(packet, State.empty);
        else if (state === State.filled + own) endGiveBack(packet);
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
      // While the handle is still live: this thread may end in there.
      if (ready[0] === MAGAZINE_SLOTS) giveBack();
      stamps[index] = -1 - handle;
      if (handle >= lastGeneration) return;
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
