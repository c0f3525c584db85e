/** Parquet, for DuckDB, ClickHouse, Spark, pandas and whatever else reads tables. */
import { parquetWriteBuffer } from "hyparquet-writer";
import type { Column, ColumnType, Table } from "./tables.ts";

const TYPES = { text: "STRING", number: "DOUBLE", whole: "INT64", time: "TIMESTAMP" } as const satisfies Readonly<
  Record<ColumnType, string>
>;

export function exportParquet({ name, columns }: Table): Uint8Array {
  const buffer = parquetWriteBuffer({
    columnData: columns.map((column) => ({ name: column.name, type: TYPES[column.type], data: valuesOf(column) })),
    kvMetadata: [
      { key: "gcspike.table", value: `${name}/1` },
      ...columns.map((column) => ({ key: `gcspike.column.${column.name}`, value: column.meaning })),
    ],
  });
  return new Uint8Array(buffer);
}

/** As the writer wants them: whole numbers of 64 bits, and dates. */
function valuesOf({ type, cells }: Column): unknown[] {
  if (type === "whole") return cells.map((cell) => (cell === null ? null : BigInt(cell)));
  if (type === "time") return cells.map((cell) => (cell === null ? null : new Date(cell)));
  return [...cells];
}
