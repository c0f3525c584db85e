/**
 * Which functions of V8 and Node are watched, by their mangled names: those fix the parameters too, so that a name that is known says
 * in which argument a value is. Seen in Node 20, 22, 24 and 26; where a version's differs, both stand here.
 */
import type { ElfFile } from "./elf.ts";

/** A function that is watched, with what its first arguments after `this` are. */
export const WATCHED = {
  /** (space, reason, flags, ...): every collection, outermost or not. */
  collect: {
    text: "v8::internal::Heap::CollectGarbage",
    names: [
      "_ZN2v88internal4Heap14CollectGarbageENS0_15AllocationSpaceENS0_23GarbageCollectionReasonENS_15GCCallbackFlagsE",
      "_ZN2v88internal4Heap14CollectGarbageENS0_15AllocationSpaceENS0_23GarbageCollectionReasonENS_15GCCallbackFlagsENS0_21PerformHeapLimitCheckENS0_34PerformIneffectiveMarkCompactCheckE",
    ],
  },
  /** (GCType, GCCallbackFlags, ...): called where a pause begins, whether or not anybody asked to be called back. */
  prologue: {
    text: "v8::internal::Heap::CallGCPrologueCallbacks",
    names: [
      "_ZN2v88internal4Heap23CallGCPrologueCallbacksENS_6GCTypeENS_15GCCallbackFlagsENS0_8GCTracer5Scope7ScopeIdE",
    ],
  },
  /** The same where it ends. */
  epilogue: {
    text: "v8::internal::Heap::CallGCEpilogueCallbacks",
    names: [
      "_ZN2v88internal4Heap23CallGCEpilogueCallbacksENS_6GCTypeENS_15GCCallbackFlagsENS0_8GCTracer5Scope7ScopeIdE",
    ],
  },
  /** (flags, reason, ...) */
  startMarking: {
    text: "v8::internal::Heap::StartIncrementalMarking",
    names: [
      "_ZN2v88internal4Heap23StartIncrementalMarkingEiNS0_23GarbageCollectionReasonENS_15GCCallbackFlagsENS0_16GarbageCollectorE",
      "_ZN2v88internal4Heap23StartIncrementalMarkingENS_4base5FlagsINS0_6GCFlagEhhEENS0_23GarbageCollectionReasonENS_15GCCallbackFlagsENS0_16GarbageCollectorE",
      "_ZN2v88internal4Heap23StartIncrementalMarkingENS_4base5FlagsINS0_6GCFlagEhhEENS0_23GarbageCollectionReasonENS_15GCCallbackFlagsENS0_16GarbageCollectorEPKc",
    ],
  },
  /** One step of incremental marking on the isolate's thread, from its begin to its end. */
  step: {
    text: "v8::internal::IncrementalMarking::Step",
    names: [
      "_ZN2v88internal18IncrementalMarking4StepEdNS0_10StepOriginE",
      "_ZN2v88internal18IncrementalMarking4StepENS_4base9TimeDeltaEmNS0_10StepOriginE",
    ],
  },
  /** (bytes): memory of ArrayBuffers, and with them of Buffers. */
  allocate: {
    text: "node::NodeArrayBufferAllocator::Allocate",
    names: ["_ZN4node24NodeArrayBufferAllocator8AllocateEm"],
  },
  allocateUninitialized: {
    text: "node::NodeArrayBufferAllocator::AllocateUninitialized",
    names: ["_ZN4node24NodeArrayBufferAllocator21AllocateUninitializedEm"],
  },
  /** (space, bytes of the object, ...): pages of objects too large for a common one. */
  allocateLarge: {
    text: "v8::internal::MemoryAllocator::AllocateLargePage",
    names: [
      "_ZN2v88internal15MemoryAllocator17AllocateLargePageEPNS0_16LargeObjectSpaceEmNS0_13ExecutabilityE",
      "_ZN2v88internal15MemoryAllocator17AllocateLargePageEPNS0_16LargeObjectSpaceEmNS0_13ExecutabilityENS0_14AllocationHintE",
    ],
  },
} as const satisfies Readonly<Record<string, { readonly text: string; readonly names: readonly string[] }>>;

export type Watched = keyof typeof WATCHED;

/** V8's builtins, compiled into the program: the interpreter, through which functions run, is among them. */
const BUILTINS = "v8_Default_embedded_blob_code_";
/** How many bytes those are, 4 bytes. */
const BUILTINS_SIZE = "v8_Default_embedded_blob_code_size_";

/** Some of the program, as its file counts addresses. */
export interface CodeRange {
  readonly address: number;
  readonly bytes: number;
}

export interface V8Functions {
  /** As the file counts them. */
  readonly addresses: Readonly<Record<Watched, number>>;
  /** Null where the symbol table is gone that names them. */
  readonly builtins: CodeRange | null;
}

/** The functions in `elf`; those that it does not name, as a person writes them, where one is missing. */
export function findFunctions(elf: ElfFile): V8Functions | { readonly missing: readonly string[] } {
  const symbols = elf.symbols([...Object.values(WATCHED).flatMap(({ names }) => names), BUILTINS, BUILTINS_SIZE]);
  const missing: string[] = [];
  const address = (which: Watched): number => {
    const { names, text }: { readonly names: readonly string[]; readonly text: string } = WATCHED[which];
    const found = names.map((name) => symbols.get(name)).find((one) => one !== undefined);
    if (found === undefined) missing.push(text);
    return found ?? 0;
  };
  const addresses = {
    collect: address("collect"),
    prologue: address("prologue"),
    epilogue: address("epilogue"),
    startMarking: address("startMarking"),
    step: address("step"),
    allocate: address("allocate"),
    allocateUninitialized: address("allocateUninitialized"),
    allocateLarge: address("allocateLarge"),
  };
  return missing.length > 0 ? { missing } : { addresses, builtins: builtinsOf(elf, symbols) };
}

function builtinsOf(elf: ElfFile, symbols: ReadonlyMap<string, number>): CodeRange | null {
  const [address, size] = [symbols.get(BUILTINS), symbols.get(BUILTINS_SIZE)];
  const bytes = size === undefined ? undefined : elf.bytesAt(size, 4)?.readUInt32LE();
  return address === undefined || bytes === undefined ? null : { address, bytes };
}

/** Heap::GarbageCollectionReasonToString, by number: the same in Node 20 to 26, which added to the end. */
export const REASONS: readonly string[] = [
  "unknown",
  "allocation failure",
  "allocation limit",
  "context disposal",
  "counters extension",
  "debugger",
  "deserialize",
  "external memory pressure",
  "finalize incremental marking via stack guard",
  "finalize incremental marking via task",
  "full hash-table",
  "heap profiler",
  "task",
  "last resort",
  "low memory notification",
  "make heap iterable",
  "memory pressure",
  "memory reducer",
  "runtime",
  "sampling profiler",
  "snapshot creator",
  "testing",
  "external finalize",
  "global allocation limit",
  "measure memory",
  "background allocation failure",
  "finalize concurrent MinorMS",
  "CppHeap allocation failure",
  "frozen",
  "idle context disposal",
  "finalize MinorMS for major GC",
];
