/** Names in prebuilds/ that the published package has. */
export const BINARIES: readonly string[];
