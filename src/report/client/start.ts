/** What every page does first: read the data that stands in its file, and say so where that fails. */
import { h } from "./dom.ts";
import { startTheme } from "./theme.ts";
import { installTooltip } from "./tooltip.ts";
import { unpack } from "./wire.ts";

async function inflate(base64: string): Promise<Uint8Array> {
  const binary = atob(base64);
  const packed = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) packed[i] = binary.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Takes the data out of the page, so that its text is not kept twice. */
function take(id: string): string {
  const element = document.getElementById(id);
  const text = element?.textContent ?? "";
  element?.remove();
  return text;
}

/** What `pack` put into the page; throws where it is damaged. */
export async function readData<Data>(): Promise<Data> {
  const json = take("report-data");
  return unpack<Data>(json, await inflate(take("report-columns")));
}

/** Calls `draw` when the page is there, and marks it as ready behind it. */
export function startPage(draw: () => Promise<void>): void {
  startTheme();
  addEventListener("DOMContentLoaded", () => {
    installTooltip();
    draw().then(
      () => {
        document.documentElement.dataset.ready = "";
      },
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        document.body.append(
          h("p", { class: "empty" }, `The data in this file could not be read: ${why}. Write the report again.`),
        );
        throw error;
      },
    );
  });
}
