/** What a page fault costs on this machine: from a fraction of a microsecond on bare metal to several in a virtual machine. */

const BYTES = 4 * 1024 * 1024;
const PAGE_BYTES = 4096;
/** Fewer say that the memory was there already, or came in large pages. */
const LEAST_FAULTS = BYTES / PAGE_BYTES / 4;

/** Processor time of a minor fault, ns; null where fresh memory does not fault page by page. Takes some milliseconds. */
export function measurePageFault(): number | null {
  const fresh = Buffer.allocUnsafeSlow(BYTES);
  const before = process.resourceUsage();
  for (let at = 0; at < BYTES; at += PAGE_BYTES) fresh[at] = 1;
  const after = process.resourceUsage();
  const faults = after.minorPageFault - before.minorPageFault;
  if (faults < LEAST_FAULTS) return null;
  const us = after.userCPUTime - before.userCPUTime + after.systemCPUTime - before.systemCPUTime;
  return Math.round((us * 1000) / faults);
}
