/** Which TCP ports processes of this machine listen on, from Linux's /proc. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Listener {
  readonly port: number;
  /** As /proc writes it: "0100007F" is 127.0.0.1. */
  readonly address: string;
  /** Number of the socket, by which a process's file descriptors name it. */
  readonly inode: string;
}

const LISTEN = "0A";
const IPV6_MAPPED = "0000000000000000FFFF0000";
const IPV6_LOOPBACK = "00000000000000000000000001000000";

/** The listening sockets in /proc/PID/net/tcp or tcp6: of everybody in the process's network. */
export function parseListeners(table: string): readonly Listener[] {
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
    const [, address, port] = /^([0-9A-F]+):([0-9A-F]{4})$/.exec(local) ?? [];
    if (state !== LISTEN || address === undefined || port === undefined || inode === undefined) return [];
    return [{ address, port: Number.parseInt(port, 16), inode }];
  });
}

/** 127.x.x.x, ::1, ::ffff:127.x.x.x. */
export function isLoopback({ address }: Listener): boolean {
  const ipv4 = address.startsWith(IPV6_MAPPED) ? address.slice(IPV6_MAPPED.length) : address;
  return address === IPV6_LOOPBACK || (ipv4.length === 8 && ipv4.endsWith("7F"));
}

export function isIpv6({ address }: Listener): boolean {
  return address === IPV6_LOOPBACK;
}

function listeners(pid: number): readonly Listener[] {
  return ["tcp", "tcp6"].flatMap((table) => {
    try {
      return parseListeners(readFileSync(`/proc/${pid}/net/${table}`, "utf8"));
    } catch {
      // Without IPv6 there is no tcp6; without the process there is neither.
      return [];
    }
  });
}

function socketsOf(pid: number | string): ReadonlySet<string> {
  const sockets = new Set<string>();
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      try {
        const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? [];
        if (inode !== undefined) sockets.add(inode);
      } catch {
        // Closed meanwhile.
      }
    }
  } catch {
    // Ended, or somebody else's.
  }
  return sockets;
}

/** What the process itself listens on. */
export function listenersOf(pid: number): readonly Listener[] {
  const sockets = socketsOf(pid);
  return listeners(pid).filter(({ inode }) => sockets.has(inode));
}

/** Who else in the network of process `pid` listens on a port; null where nobody does. */
export function otherListener(pid: number, port: number): Listener | null {
  const own = socketsOf(pid);
  return listeners(pid).find((listener) => listener.port === port && !own.has(listener.inode)) ?? null;
}

/** The process that listens, as far as this user may know. */
export function ownerOf({ inode }: Listener): { readonly pid: number; readonly name: string } | null {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (!socketsOf(pid).has(inode)) continue;
    try {
      return { pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, "utf8").trim() };
    } catch {
      return null;
    }
  }
  return null;
}
