/**
 * A page as one HTML file that needs no network: style, script and data stand in it, and its content security policy lets
 * nothing else in. Whatever came from a recording travels as data and is only ever shown as text.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

export interface HtmlAssets {
  readonly script: string;
  readonly style: string;
}

export interface HtmlPage {
  readonly title: string;
  /** What a reader without JavaScript is told. */
  readonly withoutScript: string;
  /** What the script draws: as wire.ts packs it. */
  readonly data: { readonly json: string; readonly blob: Uint8Array };
  readonly assets: HtmlAssets;
}

/** Longer texts are cut: a function's name can be as long as the program likes. */
const MAX_TEXT = 600;

const LINE_BREAKS = /[\t\n\v\f\r\u2028\u2029]/g;
/** Control characters, marks and overrides of the writing direction, and halves of surrogate pairs. */
const INVISIBLE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A text that cannot rearrange or flood the page around it: one line, bounded, nothing invisible. */
export function boundedText(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
  return cut.replace(LINE_BREAKS, " ").replace(INVISIBLE, "\ufffd");
}

/** JSON inside a script element ends at the first `</script`, so no `<` may stand in it. */
function inertJson(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function escapeHtml(text: string): string {
  return text.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function hashSource(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** The page, UTF-8. It runs no other script than that of `assets` and takes no other style. */
export function htmlPage({ title, withoutScript, data, assets }: HtmlPage): Uint8Array {
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(assets.script)}`,
    `style-src ${hashSource(assets.style)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return new TextEncoder().encode(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(boundedText(title))} - gcspike</title>
<link rel="icon" href="data:,">
<style>${assets.style}</style>
<script>${assets.script}</script>
</head>
<body>
<noscript>${escapeHtml(withoutScript)}</noscript>
<script type="application/json" id="report-data">${inertJson(data.json)}</script>
<script type="text/plain" id="report-columns">${gzipSync(data.blob).toString("base64")}</script>
</body>
</html>
`);
}
