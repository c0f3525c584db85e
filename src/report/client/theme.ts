/** Light or dark: as the system has it until somebody chooses. The colours themselves stand in report.css. */

type Theme = "light" | "dark";

/** A4 and Letter at 96 pixels an inch, less their margins and the panel's. */
const PAPER_WIDTH = 660;

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();
const colors = new Map<string, string>();
let chosen: Theme | null = null;
let printing = false;

/** Paper is white, whatever the screen is. */
function effective(): Theme {
  if (printing) return "light";
  return chosen ?? (systemIsDark.matches ? "dark" : "light");
}

function apply(): void {
  document.documentElement.dataset.theme = effective();
  colors.clear();
  for (const listener of listeners) listener();
}

export function startTheme(): void {
  systemIsDark.addEventListener("change", apply);
  addEventListener("beforeprint", () => setPrinting(true));
  addEventListener("afterprint", () => setPrinting(false));
  apply();
}

function setPrinting(now: boolean): void {
  printing = now;
  apply();
}

/** How wide charts are on paper, CSS pixels; null on the screen. Printing gives no time to measure the page. */
export function printWidth(): number | null {
  return printing ? PAPER_WIDTH : null;
}

export function isDark(): boolean {
  return effective() === "dark";
}

export function toggleTheme(): void {
  chosen = isDark() ? "light" : "dark";
  apply();
}

/** Calls `listener` after every change, until the returned function is called. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The value of report.css's custom property `--name`, for canvases. */
export function color(name: string): string {
  const known = colors.get(name);
  if (known !== undefined) return known;
  const value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  colors.set(name, value);
  return value;
}
