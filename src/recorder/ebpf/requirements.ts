/** What recording by eBPF takes of a machine, and the fix where something is lacking. */

export interface Machine {
  readonly platform: string;
  readonly arch: string;
  readonly exists: (path: string) => boolean;
  /** null where the file cannot be read. */
  readonly readText: (path: string) => string | null;
  /** What `bpftrace --version` prints; null where there is none. */
  readonly bpftraceVersion: () => string | null;
}

export interface Lacking {
  readonly what: string;
  readonly fix: string;
}

/** Kernel features, each with the file by which it shows. */
const FEATURES: readonly (Lacking & { readonly file: string })[] = [
  {
    file: "/proc/sys/kernel/unprivileged_bpf_disabled",
    what: "the kernel has no bpf()",
    fix: "a kernel with CONFIG_BPF_SYSCALL",
  },
  {
    file: "/sys/kernel/btf/vmlinux",
    what: "no /sys/kernel/btf/vmlinux",
    fix: "a kernel with CONFIG_DEBUG_INFO_BTF",
  },
  {
    // With this a probe is gone when its file is closed, however its process ended; older ways leave it behind.
    file: "/sys/bus/event_source/devices/uprobe/type",
    what: "the kernel has no uprobes that end with their process",
    fix: "Linux 4.17 or later with CONFIG_UPROBE_EVENTS",
  },
];

/** Bits of /proc/PID/status, CapEff (linux/capability.h). */
const CAP_SYS_ADMIN = 21n;

/**
 * CAP_BPF and CAP_PERFMON are enough for the kernel, but bpftrace asks for root, and reading another process's memory takes more than
 * they give.
 */
function mayTrace(status: string): boolean {
  const effective = /^CapEff:\s+([0-9a-f]+)/m.exec(status)?.[1];
  const isRoot = /^Uid:\s+\d+\s+0\s/m.test(status);
  return isRoot && effective !== undefined && ((BigInt(`0x${effective}`) >> CAP_SYS_ADMIN) & 1n) === 1n;
}

/** Empty: it works here. */
export function lackingForEbpf(machine: Machine): readonly Lacking[] {
  if (machine.platform !== "linux") return [{ what: "eBPF is Linux only", fix: "a machine with Linux" }];
  const lacking: Lacking[] = [];
  if (machine.arch !== "x64") lacking.push({ what: `it was not tried on ${machine.arch}`, fix: "a machine with x64" });
  for (const { file, what, fix } of FEATURES) if (!machine.exists(file)) lacking.push({ what, fix });
  if (!mayTrace(machine.readText("/proc/self/status") ?? "")) {
    lacking.push({ what: "this user may not use it", fix: "run as root" });
  }
  if (machine.bpftraceVersion() === null) {
    lacking.push({ what: "bpftrace is not installed", fix: "apt-get install bpftrace, or dnf install bpftrace" });
  }
  return lacking;
}
