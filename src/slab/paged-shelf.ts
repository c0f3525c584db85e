/**
 * The slots of one class in a pool of one thread that gives memory back. Free slots lie in stacks, one a slab, which is the fewest
 * slots that fill whole pages: allocation fills one slab after the other, so that others can become free as a whole, and those are
 * given back.
 */
import { ClosedError, ExhaustedError } from "./errors.ts";
import { countLive, explain, freshStamp, type HandleLayout } from "./handles.ts";
import type { ClassLayout } from "./layout.ts";
import type { PoolShelf } from "./shelf.ts";

/** What a slab was used for since its pages were given back. */
const Use = { none: 0, some: 1, foundFree: 2 } as const;

/** Slabs that are out of use while their pages are given back. */
export interface SlabRun {
  readonly firstSlab: number;
  readonly slabs: number;
  readonly offset: number;
  readonly bytes: number;
}

export interface PagedShelfOptions {
  readonly handles: HandleLayout;
  readonly layout: ClassLayout;
  /** Gives bytes back as soon as the slab that they are has no live slot; without it, slabs wait for `setAside`. */
  readonly releaseAtOnce?: (offset: number, bytes: number) => void;
  /** Returns whether slabs that were set aside came back, when there is nothing else to hand out. */
  readonly takeBack?: () => boolean;
}

export class PagedShelf implements PoolShelf {
  readonly slotBytes: number;
  readonly slots: number;
  readonly #slotMask: number;
  readonly #step: number;
  readonly #lastGeneration: number;
  readonly #firstSlot: number;
  readonly #offset: number;
  readonly #slabShift: number;
  /** A slab's free count just before its last slot is freed, where pages are given back at that moment; else -1. */
  readonly #releaseAt: number;
  readonly #options: PagedShelfOptions;

  #stamps: Float64Array;
  /** The slots of slab s stand from s << slabShift on, the free ones first: a stack of `#free[s]` indices. */
  readonly #stacks: Int32Array;
  #free: Int32Array;
  readonly #use: Uint8Array;
  /** Slabs with free slots, besides the current one, in a ring; some have none any more. `#listed`: is it in the ring? */
  readonly #ring: Int32Array;
  readonly #listed: Uint8Array;
  #ringFirst = 0;
  #ringLength = 0;
  #current = 0;
  #isClosed = false;

  constructor(options: PagedShelfOptions) {
    const { handles, layout } = options;
    this.#options = options;
    this.slotBytes = layout.slotBytes;
    this.slots = layout.slots;
    this.#slotMask = handles.slotMask;
    this.#step = handles.step;
    this.#lastGeneration = handles.lastGeneration;
    this.#firstSlot = layout.firstSlot;
    this.#offset = layout.offset;
    this.#slabShift = layout.slabShift;
    const slabSlots = 2 ** this.#slabShift;
    this.#releaseAt = options.releaseAtOnce === undefined ? -1 : slabSlots - 1;
    this.#stamps = Float64Array.from({ length: this.slots }, (_, index) =>
      freshStamp(handles, this.#firstSlot + index),
    );
    const slabs = Math.ceil(this.slots / slabSlots);
    this.#stacks = new Int32Array(this.slots);
    this.#free = new Int32Array(slabs);
    this.#use = new Uint8Array(slabs);
    this.#ring = new Int32Array(2 ** (32 - Math.clz32(slabs)));
    this.#listed = new Uint8Array(slabs);
    for (let slab = 0; slab < slabs; slab++) {
      const first = slab << this.#slabShift;
      const count = Math.min(slabSlots, this.slots - first);
      for (let n = 0; n < count; n++) this.#stacks[first + n] = first + count - 1 - n;
      this.#free[slab] = count;
      if (slab > 0) this.#append(slab);
    }
    this.#use[0] = Use.some;
  }

  alloc(): number {
    if (!((this.#free[this.#current] as number) > 0)) this.#advance();
    const slab = this.#current;
    const free = (this.#free[slab] as number) - 1;
    const index = this.#stacks[(slab << this.#slabShift) + free] as number;
    const handle = this.#step - 1 - (this.#stamps[index] as number);
    this.#free[slab] = free;
    this.#stamps[index] = handle;
    return handle;
  }

  free(handle: number): void {
    const index = ((handle >>> 0) & this.#slotMask) - this.#firstSlot;
    if (index < 0 || index >= this.slots || this.#stamps[index] !== handle) throw this.#refusal(handle, true);
    this.#stamps[index] = -1 - handle;
    if (handle >= this.#lastGeneration) return;
    const slab = index >> this.#slabShift;
    const free = this.#free[slab] as number;
    this.#stacks[(slab << this.#slabShift) + free] = index;
    this.#free[slab] = free + 1;
    if ((free === 0 && slab !== this.#current) || free === this.#releaseAt) this.#turned(slab, free);
  }

  offsetOf(handle: number): number {
    const index = ((handle >>> 0) & this.#slotMask) - this.#firstSlot;
    if (index < 0 || index >= this.slots || this.#stamps[index] !== handle) throw this.#refusal(handle, false);
    return this.#offset + index * this.slotBytes;
  }

  isExhausted(): boolean {
    return !this.#isClosed && !((this.#free[this.#current] as number) > 0) && !this.#hasAdvanced();
  }

  inUse(): number {
    return countLive(this.#stamps);
  }

  close(): void {
    this.#isClosed = true;
    this.#stamps = new Float64Array(0);
    this.#free = new Int32Array(0);
    this.#ringLength = 0;
  }

  /**
   * Takes slabs out of use that were free as a whole at this and the last call, and were used since their pages were given back;
   * `reserveShare` of the slabs in use stay, so that the next allocations meet no page fault. Runs have at most `maxBytes`, or
   * are one slab.
   */
  setAside(reserveShare: number, maxBytes: number): readonly SlabRun[] {
    const slabSlots = 2 ** this.#slabShift;
    const slabBytes = slabSlots * this.slotBytes;
    let inUse = 0;
    const ready: number[] = [];
    for (let slab = 0; slab < this.#free.length; slab++) {
      const use = this.#use[slab];
      if (this.#free[slab] !== slabSlots || slab === this.#current) inUse++;
      else if (use === Use.some) this.#use[slab] = Use.foundFree;
      else if (use === Use.foundFree) ready.push(slab);
    }
    const runs: SlabRun[] = [];
    if (ready.length === 0) return runs;
    for (const slab of ready.slice(Math.ceil(inUse * reserveShare))) {
      this.#free[slab] = 0;
      const last = runs.at(-1);
      if (last !== undefined && last.firstSlab + last.slabs === slab && last.bytes + slabBytes <= maxBytes)
        runs[runs.length - 1] = { ...last, slabs: last.slabs + 1, bytes: last.bytes + slabBytes };
      else runs.push({ firstSlab: slab, slabs: 1, offset: this.#offset + slab * slabBytes, bytes: slabBytes });
    }
    return runs;
  }

  /** Puts slabs that were set aside behind all others. */
  putBack(run: SlabRun, wereGivenBack: boolean): void {
    for (let slab = run.firstSlab; slab < run.firstSlab + run.slabs; slab++) {
      this.#free[slab] = 2 ** this.#slabShift;
      this.#use[slab] = wereGivenBack ? Use.none : Use.some;
      if (this.#listed[slab] === 0) this.#append(slab);
    }
  }

  #advance(): void {
    if (this.#isClosed) throw new ClosedError();
    if (!this.#hasAdvanced()) throw new ExhaustedError(this.slots, this.slotBytes);
  }

  /** The current slab has no free slot: the next one that has. False: there is none. */
  #hasAdvanced(): boolean {
    while (this.#ringLength > 0) {
      const slab = this.#ring[this.#ringFirst] as number;
      this.#ringFirst = (this.#ringFirst + 1) & (this.#ring.length - 1);
      this.#ringLength--;
      this.#listed[slab] = 0;
      if (this.#free[slab] === 0) continue;
      this.#use[slab] = Use.some;
      this.#current = slab;
      return true;
    }
    return this.#options.takeBack?.() === true && this.#hasAdvanced();
  }

  /** A slab got its first free slot, or has none in use any more. */
  #turned(slab: number, free: number): void {
    if (free === 0 && slab !== this.#current && this.#listed[slab] === 0) {
      this.#ringFirst = (this.#ringFirst - 1) & (this.#ring.length - 1);
      this.#ring[this.#ringFirst] = slab;
      this.#ringLength++;
      this.#listed[slab] = 1;
    }
    const slabBytes = this.slotBytes * 2 ** this.#slabShift;
    if (free === this.#releaseAt) this.#options.releaseAtOnce?.(this.#offset + slab * slabBytes, slabBytes);
  }

  #append(slab: number): void {
    this.#ring[(this.#ringFirst + this.#ringLength++) & (this.#ring.length - 1)] = slab;
    this.#listed[slab] = 1;
  }

  #refusal(handle: number, isFree: boolean): Error {
    if (this.#isClosed) return new ClosedError();
    const index = ((handle >>> 0) & this.#slotMask) - this.#firstSlot;
    return explain(this.#options.handles, handle, this.#stamps[index], isFree);
  }
}
