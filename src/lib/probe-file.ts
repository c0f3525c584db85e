/** File name of the GC probe for one Node: probes use V8's own API and fit one ABI (`process.versions.modules`) each. */
export function probeFileName(platform: string, arch: string, abi: string): string {
  return `gc-probe-${platform}-${arch}-${abi}.node`;
}
