/** What is read of a program's file and memory. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ElfFile } from "../../../../src/recorder/ebpf/elf.ts";
import { readHeapLayout } from "../../../../src/recorder/ebpf/heap-layout.ts";
import { HeapReader } from "../../../../src/recorder/ebpf/heap-reader.ts";
import { entryBefore, InlinedFunctions, readCodeLayout } from "../../../../src/recorder/ebpf/inlined-functions.ts";
import { CodeMap, type Mapping, parseMaps } from "../../../../src/recorder/ebpf/memory-map.ts";
import { parseProcessState } from "../../../../src/recorder/ebpf/process-log.ts";
import { bpftraceProgram } from "../../../../src/recorder/ebpf/program.ts";
import { lackingForEbpf, type Machine } from "../../../../src/recorder/ebpf/requirements.ts";
import { findFunctions, WATCHED } from "../../../../src/recorder/ebpf/v8-functions.ts";
import { temporaryFolder } from "../../../support/cli.ts";
import { NODES } from "../../../support/nodes.ts";
import { seeded } from "../../../support/random.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

function opened(path: string): ElfFile {
  const elf = ElfFile.open(path);
  if (elf === null) throw new Error(`${path} is no ELF file`);
  return elf;
}

const isHere = process.platform === "linux" && process.arch === "x64";

describe.skipIf(!isHere)("the program's file", () => {
  test.each(NODES)("of $version names all that is watched, and how functions lie", ({ path, version }) => {
    const elf = opened(path);
    const functions = findFunctions(elf);
    if ("missing" in functions) throw new Error(`missing: ${functions.missing.join()}`);
    const executable = elf.segments.filter((segment) => segment.isExecutable);
    for (const address of [...Object.values(functions.addresses), functions.builtins?.address ?? 0]) {
      expect(executable.some((one) => address >= one.address && address < one.address + one.bytes)).toBe(true);
    }
    expect(functions.builtins?.bytes).toBeGreaterThan(500_000);
    const layout = readHeapLayout(elf, Number.parseInt(version.slice(1), 10));
    expect(layout).toMatchObject({ taggedSize: 8, frameContextOrType: -8, frameFunction: -16 });
    expect(readHeapLayout(elf, 19)).toBeNull();
    expect(readCodeLayout(elf, Number.parseInt(version.slice(1), 10))).toMatchObject({ arrayData: 16, arrayLength: 8 });
    elf.close();
  });

  test("of another program has none of it, and all are named that are missing", () => {
    const elf = opened("/bin/sh");
    const functions = findFunctions(elf);
    expect(functions).toEqual({ missing: Object.values(WATCHED).map(({ text }) => text) });
    elf.close();
  });

  test("that is none", () => {
    const path = join(folder.path, "text");
    writeFileSync(path, "#!/bin/sh\n");
    expect(ElfFile.open(path)).toBeNull();
    writeFileSync(path, "");
    expect(ElfFile.open(path)).toBeNull();
  });

  test("with anything in its headers is read without an error", () => {
    const whole = readFileSync("/bin/true");
    const random = seeded(3);
    const path = join(folder.path, "damaged");
    for (let i = 0; i < 200; i++) {
      const bytes = Buffer.from(whole.subarray(0, i % 3 === 0 ? Math.floor(random() * whole.length) : whole.length));
      for (let n = 0; n < 8 && bytes.length > 64; n++)
        bytes[16 + Math.floor(random() * 48)] = Math.floor(random() * 256);
      writeFileSync(path, bytes);
      const elf = ElfFile.open(path);
      if (elf === null) continue;
      elf.symbols(["malloc", "v8_Default_embedded_blob_code_"]);
      elf.bytesAt(Math.floor(random() * 100_000), 8);
      elf.close();
    }
  });
});

describe("memory mappings", () => {
  const MAPS = `00400000-00b6f000 r--p 00000000 fe:00 1234                              /usr/bin/node
00b6f000-025fb000 r-xp 0076f000 fe:00 1234                              /usr/bin/node
7f0000000000-7f0000100000 r-xp 00000000 00:00 0 
7f0000100000-7f0000200000 rwxp 00000000 00:00 0                          [anon:v8]
7f1000000000-7f1000010000 r-xp 00000000 fe:00 99                         /tmp/with space.node (deleted)
nonsense
`;

  test("are parsed line by line", () => {
    const mappings = parseMaps(MAPS);
    expect(mappings).toHaveLength(5);
    expect(mappings[1]).toEqual({
      from: 0xb6f000,
      to: 0x25fb000,
      isExecutable: true,
      offset: 0x76f000,
      path: "/usr/bin/node",
    });
    expect(mappings.map(({ path }) => path).slice(2)).toEqual(["", "", "/tmp/with space.node (deleted)"]);
  });

  test("tell JavaScript from C++, and are read again for what is new", () => {
    let mappings: readonly Mapping[] = parseMaps(MAPS);
    let reads = 0;
    const code = new CodeMap({ from: 0x1000000, to: 0x1200000 }, () => {
      reads++;
      return mappings;
    });
    expect(code.isJavaScript(0x1000010, 0)).toBe(true);
    expect(reads).toBe(0);
    expect(code.isJavaScript(0xb70000, 0)).toBe(false);
    expect(code.isJavaScript(0x7f0000000010, 0)).toBe(true);
    expect(code.isJavaScript(0x7f0000100010, 0)).toBe(true);
    expect(code.isJavaScript(0x7f1000000010, 0)).toBe(false);
    expect(code.isJavaScript(0x7f2000000010, 100)).toBe(false);
    expect(reads).toBe(1);
    mappings = [...mappings, { from: 0x7f2000000000, to: 0x7f2000100000, isExecutable: true, offset: 0, path: "" }];
    expect(code.isJavaScript(0x7f2000000010, 1000)).toBe(true);
    expect(reads).toBe(2);
  });
});

describe("V8's heap", () => {
  const { layout, code } = layouts();

  function layouts() {
    if (!isHere) return { layout: null, code: null };
    const elf = opened(process.execPath);
    const major = Number.parseInt(process.versions.node, 10);
    try {
      return { layout: readHeapLayout(elf, major), code: readCodeLayout(elf, major) };
    } finally {
      elf.close();
    }
  }

  test.skipIf(layout === null)("with anything in it is read without an error, and without end", () => {
    if (layout === null || code === null) return;
    const random = seeded(7);
    const types = [layout.typeShared, layout.typeScopeInfo, layout.typeScript, code.typeStream, code.typeCode, 40];
    for (let i = 0; i < 500; i++) {
      // Words that are mostly pointers to other such words.
      const memory = new Map<number, Buffer>();
      let reads = 0;
      const read = (address: number, length: number): Buffer => {
        reads++;
        const known = memory.get(address);
        if (known !== undefined && known.length >= length) return known.subarray(0, length);
        const bytes = Buffer.alloc(Math.max(8, length));
        for (let at = 0; at + 8 <= bytes.length; at += 8) {
          const word = random() < 0.7 ? 0x20000 + Math.floor(random() * 64) * 8 + 1 : Math.floor(random() * 2 ** 48);
          bytes.writeBigUInt64LE(BigInt(word), at);
        }
        if (random() < 0.5) bytes.writeUInt16LE(types[i % types.length] ?? 0);
        memory.set(address, bytes);
        return bytes.subarray(0, length);
      };
      const heap = new HeapReader({ read }, layout);
      const words = heap.sharedAt(0x20001);
      if (words !== null) heap.describe(words);
      new InlinedFunctions({ read }, heap, code).at(0x7f0000010000 + i * 8, 0x20001);
      expect(reads).toBeLessThan(20_000);
    }
  });

  test.skipIf(layout === null)("that is not mapped names nothing", () => {
    if (layout === null) return;
    const heap = new HeapReader({ read: () => null }, layout);
    expect(heap.sharedAt(0x20001)).toBeNull();
    expect(heap.describe({ map: 1, nameOrScope: 0x20001, script: 0x20001 })).toEqual({
      name: "",
      script: "",
      position: null,
    });
  });
});

describe("a table of source positions", () => {
  /** As V8 writes numbers: seven bits a byte, the lowest first. */
  function bytes(value: number): readonly number[] {
    return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...bytes(Math.floor(value / 0x80))];
  }
  const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
  /** Entries at 10, 40 and 90; the second is no place in JavaScript. */
  const positions = [20, 31, 8];
  const table = (hasKindBits: boolean): Uint8Array =>
    Uint8Array.from(
      [10, 40, 90].flatMap((offset, i) => {
        const step = offset - ([-1, 10, 40][i] ?? 0);
        const moved = (positions[i] ?? 0) - ([0, ...positions][i] ?? 0);
        return [...bytes(hasKindBits ? step * 4 : zigzag(step)), ...bytes(zigzag(moved))];
      }),
    );

  test.each([true, false])(
    "gives the last place in JavaScript before an offset (two bits for its kind: %s)",
    (kind) => {
      const entryOf = (offset: number) => entryBefore(table(kind), offset, kind);
      expect(entryOf(10)).toBeNull();
      expect(entryOf(11)).toEqual({ offset: 10, position: 20n });
      expect(entryOf(90)).toEqual({ offset: 10, position: 20n });
      expect(entryOf(1000)).toEqual({ offset: 90, position: 8n });
      expect(entryBefore(table(kind).subarray(0, 3), 1000, kind)).toEqual({ offset: 10, position: 20n });
    },
  );

  test("of any bytes ends", () => {
    const random = seeded(5);
    for (let i = 0; i < 500; i++) {
      const noise = Uint8Array.from({ length: 200 }, () => Math.floor(random() * 256));
      entryBefore(noise, 1e6, i % 2 === 0);
    }
  });
});

test("the process's state, whatever its name is", () => {
  const numbers = Array.from({ length: 50 }, (_, index) => index).join(" ");
  expect(parseProcessState(`7 (a) b ) (S) S ${numbers}`)).toEqual({
    rss: 20 * 4096,
    cpuNs: (10 + 11) * 1e7,
    minorFaults: 6,
    majorFaults: 8,
  });
  expect(parseProcessState("")).toBeNull();
  expect(parseProcessState("7 (node) S 1 2")).toBeNull();
  const own = process.platform === "linux" ? parseProcessState(readFileSync("/proc/self/stat", "utf8")) : null;
  if (own !== null) expect(own.rss).toBeGreaterThan(1e6);
});

describe("the bpftrace program", () => {
  const addresses = Object.fromEntries(Object.keys(WATCHED).map((name, index) => [name, 0x1000 + index])) as Record<
    keyof typeof WATCHED,
    number
  >;
  const watching = { pid: 4121, binary: "/proc/4121/exe", addresses, layout: null, minBytes: 32768, depth: 16 };

  test("watches one process alone", () => {
    for (const line of bpftraceProgram(watching).trim().split("\n")) {
      expect(line).toMatch(
        /^(?:uprobe:\/proc\/4121\/exe:0x[\da-f]+(?:, )?)+ \/pid == 4121\b|^uretprobe:.*\/@step\[tid\]\/|^interval:/,
      );
    }
  });

  test("leaves out allocations where nobody wants them", () => {
    const program = bpftraceProgram({ ...watching, minBytes: null });
    expect(program).not.toContain(">= 32768");
    expect(program).not.toContain("@taken");
    expect(bpftraceProgram(watching).match(/>= 32768/g)).toHaveLength(2);
  });
});

describe("what it takes", () => {
  const FILES: Readonly<Record<string, string>> = {
    "/proc/self/status": "Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n",
    "/proc/sys/kernel/unprivileged_bpf_disabled": "2\n",
    "/sys/kernel/btf/vmlinux": "",
    "/sys/bus/event_source/devices/uprobe/type": "8\n",
  };
  function machine(changes: Partial<Machine> = {}, files: Readonly<Record<string, string>> = FILES): Machine {
    return {
      platform: "linux",
      arch: "x64",
      exists: (path) => path in files,
      readText: (path) => files[path] ?? null,
      bpftraceVersion: () => "bpftrace v0.17.0",
      ...changes,
    };
  }

  test("is there", () => {
    expect(lackingForEbpf(machine())).toEqual([]);
  });

  test.each<[string, Machine, string]>([
    ["Linux", machine({ platform: "darwin" }), "eBPF is Linux only"],
    ["x64", machine({ arch: "arm64" }), "it was not tried on arm64"],
    ["bpftrace", machine({ bpftraceVersion: () => null }), "bpftrace is not installed"],
    ["BTF", machine({ exists: (path) => path !== "/sys/kernel/btf/vmlinux" }), "no /sys/kernel/btf/vmlinux"],
    [
      "root",
      machine({}, { ...FILES, "/proc/self/status": "Uid:\t1000\t1000\t1000\t1000\nCapEff:\t000001ffffffffff\n" }),
      "this user may not use it",
    ],
    [
      "root with its rights",
      machine({}, { ...FILES, "/proc/self/status": "Uid:\t0\t0\t0\t0\nCapEff:\t00000000a80425fb\n" }),
      "this user may not use it",
    ],
  ])("%s is lacking", (_name, without, what) => {
    expect(lackingForEbpf(without).map((lacking) => lacking.what)).toEqual([what]);
  });

  test("all that is lacking is named", () => {
    expect(lackingForEbpf(machine({ bpftraceVersion: () => null }, {}))).toHaveLength(5);
  });
});
