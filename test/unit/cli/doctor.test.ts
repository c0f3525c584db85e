import { describe, expect, test } from "vitest";
import {
  checkCanvas,
  checkEbpf,
  checkFolders,
  checkHugePages,
  checkNode,
  checkPerfMap,
  checkSchedstat,
  diagnose,
} from "../../../src/cli/doctor/checks.ts";
import type { System } from "../../../src/cli/doctor/system.ts";
import { renderDiagnosis } from "../../../src/cli/run-doctor.ts";

const FILES: Readonly<Record<string, string>> = {
  "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
  "/proc/meminfo": "MemTotal: 1 kB\nHugePages_Total:       0\nHugepagesize:       2048 kB\n",
  "/proc/self/status": "Name:\tnode\nUid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n",
  "/proc/thread-self/schedstat": "1 2 3\n",
  "/proc/sys/kernel/unprivileged_bpf_disabled": "2\n",
  "/sys/kernel/btf/vmlinux": "",
  "/sys/bus/event_source/devices/uprobe/type": "8\n",
};
const TRIAL = { pauses: 5, collectors: ["probe", "phases", "allocations"], warnings: [] };

/** A machine on which everything works, but for `changes` and the files that are `null`. */
function machine(changes: Partial<System> = {}, files: Readonly<Record<string, string | null>> = {}): System {
  const all = { ...FILES, ...files };
  return {
    platform: "linux",
    arch: "x64",
    machine: "linux-x64",
    nodeVersion: "v24.21.0",
    abi: "137",
    compilerSaid: null,
    currentFolder: "/work",
    temporaryFolder: "/tmp",
    readText: (path) => all[path] ?? null,
    exists: (path) => path === "/tmp/perf-7.map" || (all[path] ?? null) !== null,
    isWritable: () => true,
    freeBytes: () => 50 * 1024 ** 3,
    run: () => ({ code: 0, pid: 7, stdout: "bpftrace v0.17.0\n", stderr: "" }),
    remove: () => {},
    tryRecording: async () => TRIAL,
    ...changes,
  };
}

const failing: System["run"] = () => ({
  code: 1,
  pid: 7,
  stdout: "",
  stderr: "x\nError: Cannot find module 'canvas'\n",
});

test("a machine on which everything works has nothing to fix", async () => {
  const { recording, checks } = await diagnose(machine());
  expect(recording).toBe(true);
  expect(checks.filter(({ status }) => status !== "works")).toEqual([]);
  expect(checks.every(({ fix }) => fix === null)).toBe(true);
});

describe("the collectors", () => {
  const statusOf = async (system: System) => {
    const { recording, checks } = await diagnose(system);
    return { recording, ...Object.fromEntries(checks.map(({ name, status }) => [name, status])) };
  };

  test("without a probe binary, perf_hooks records", async () => {
    const warnings = ["no probe binary for ABI 137"];
    const system = machine({ tryRecording: async () => ({ pauses: 4, collectors: ["perf_hooks", "heap"], warnings }) });
    expect(await statusOf(system)).toMatchObject({
      recording: true,
      "gc probe": "limited",
      phases: "limited",
      allocations: "limited",
      perf_hooks: "works",
    });
    const probe = (await diagnose(system)).checks.find(({ name }) => name === "gc probe");
    expect(probe?.found).toContain("no probe binary for ABI 137");
    const failed = await diagnose({ ...system, compilerSaid: "there is no C++ compiler" });
    const { found } = failed.checks.find(({ name }) => name === "gc probe") ?? {};
    expect(found).toContain("Compiling it failed: there is no C++ compiler.");
  });

  test("a probe that kills the program is missing, and the other collector is named", async () => {
    const system = machine({
      tryRecording: async (collector) => {
        if (collector === "probe") throw new Error("the recorded program died of SIGSEGV");
        return { pauses: 4, collectors: ["perf_hooks"], warnings: [] };
      },
    });
    expect(await statusOf(system)).toMatchObject({ recording: true, "gc probe": "missing", perf_hooks: "works" });
    const probe = (await diagnose(system)).checks.find(({ name }) => name === "gc probe");
    expect(probe?.found).toContain("SIGSEGV");
    expect(probe?.fix).toContain("--collector perf_hooks");
  });

  test("where no collector sees a pause, recording does not work", async () => {
    const system = machine({ tryRecording: async () => ({ ...TRIAL, pauses: 0 }) });
    expect(await statusOf(system)).toMatchObject({ recording: false, "gc probe": "missing", perf_hooks: "missing" });
  });
});

describe("each check", () => {
  test("an old Node", () => {
    expect(checkNode(machine({ nodeVersion: "v18.20.0" }))).toMatchObject({
      status: "missing",
      fix: "Use Node 20 or later.",
    });
  });

  test("eBPF names all that is lacking, and each fix", () => {
    const bare = machine(
      { run: failing },
      {
        "/sys/kernel/btf/vmlinux": null,
        "/sys/bus/event_source/devices/uprobe/type": null,
        "/proc/self/status": "CapEff:\t0000000000000000\n",
      },
    );
    const { status, found, fix } = checkEbpf(bare);
    expect(status).toBe("limited");
    expect(found.split("; ")).toHaveLength(4);
    expect(fix).toContain("apt-get install bpftrace");
    expect(fix).toContain("run as root");
  });

  test("huge pages", () => {
    const off = { "/sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]\n" };
    expect(checkHugePages(machine()).found).toBe("transparent: madvise; reserved: 0 of 2 MiB");
    expect(checkHugePages(machine({}, off)).status).toBe("limited");
    expect(
      checkHugePages(machine({}, { ...off, "/proc/meminfo": "HugePages_Total: 8\nHugepagesize: 2048 kB\n" })).status,
    ).toBe("works");
    expect(checkHugePages(machine({ readText: () => null })).status).toBe("limited");
  });

  test("schedstat", () => {
    expect(checkSchedstat(machine({}, { "/proc/thread-self/schedstat": null })).fix).toContain("CONFIG_SCHED_INFO");
  });

  test("the perf map is removed again", () => {
    const removed: string[] = [];
    expect(checkPerfMap(machine({ remove: (path) => removed.push(path) })).status).toBe("works");
    expect(removed).toEqual(["/tmp/perf-7.map"]);
    expect(checkPerfMap(machine({ exists: () => false })).status).toBe("limited");
  });

  test("a canvas that does not load", () => {
    expect(checkCanvas(machine({ run: failing })).found).toContain("Cannot find module 'canvas'");
  });

  test("folders", () => {
    expect(checkFolders(machine({ isWritable: (path) => path !== "/tmp" })).found).toBe("not writable: /tmp");
    expect(checkFolders(machine({ freeBytes: () => 5e6 }))).toMatchObject({
      status: "limited",
      found: "4.77 MiB free in /work",
    });
    expect(checkFolders(machine({ freeBytes: () => null })).status).toBe("works");
  });
});

test("the table says the fix below what it is for, and colours only where asked to", () => {
  const diagnosis = {
    recording: true,
    checks: [{ name: "eBPF", status: "limited", found: "bpftrace is not installed", fix: "apt-get install bpftrace" }],
  } as const;
  expect(renderDiagnosis(diagnosis, false)).toBe(
    "  limited  eBPF         bpftrace is not installed\n                        apt-get install bpftrace\n\nRecording works here.\n",
  );
  expect(renderDiagnosis(diagnosis, true)).toContain("\u001b[33mlimited \u001b[0m");
});
