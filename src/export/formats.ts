/** What can be exported, by name. Stands alone, so that --help loads none of it. */

export interface ExportFormat {
  /** What file names end with; the first is the usual one. */
  readonly extensions: readonly string[];
  /** Text may be printed on a terminal. */
  readonly isText: boolean;
}

export const EXPORT_FORMATS = {
  pprof: { extensions: [".pb.gz", ".pprof"], isText: false },
  speedscope: { extensions: [".speedscope.json"], isText: true },
  firefox: { extensions: [".firefox.json"], isText: true },
  perfetto: { extensions: [".pftrace", ".perfetto-trace"], isText: false },
  chrome: { extensions: [".trace.json"], isText: true },
  openmetrics: { extensions: [".prom", ".openmetrics"], isText: true },
  otlp: { extensions: [".otlp.jsonl", ".jsonl"], isText: true },
  parquet: { extensions: [".parquet"], isText: false },
  csv: { extensions: [".csv"], isText: true },
} as const satisfies Readonly<Record<string, ExportFormat>>;

export type ExportFormatName = keyof typeof EXPORT_FORMATS;
export const EXPORT_FORMAT_NAMES = Object.keys(EXPORT_FORMATS) as readonly ExportFormatName[];

/** What a pprof profile is about: sampled objects by who allocated them, or pauses by whose objects they were for. */
export const PPROF_PROFILES = ["heap", "pauses"] as const;
export type PprofProfile = (typeof PPROF_PROFILES)[number];

/** The tables of Parquet and CSV. */
export const TABLE_NAMES = ["pauses", "heap", "spikes", "sites"] as const;
export type TableName = (typeof TABLE_NAMES)[number];
