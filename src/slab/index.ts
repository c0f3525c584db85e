/** `import { SlabPool } from "gcspike/slab"`. */
export {
  ClosedError,
  DoubleFreeError,
  ExhaustedError,
  ForeignHandleError,
  SlabMemoryError,
  StaleHandleError,
} from "./errors.ts";
export type { SizeClass } from "./layout.ts";
export type { Shelf } from "./shelf.ts";
export { type SharedSlabPool, SlabPool, type SlabPoolOptions, type SlabStats } from "./slab-pool.ts";
