/** Parts that every page has. */
import type { Warning } from "../../recording/spec.ts";
import { button, h } from "./dom.ts";
import { isDark, onThemeChange, toggleTheme } from "./theme.ts";

/** The warnings with their hints; null where there is none. */
export function warningBox(warnings: readonly Warning[], title: string): HTMLElement | null {
  if (warnings.length === 0) return null;
  return h(
    "section",
    { class: "warnings", "aria-label": "Warnings" },
    h("h2", {}, title),
    h(
      "ul",
      {},
      ...warnings.map(({ message, hint }) =>
        h("li", {}, h("bdi", {}, message), hint !== undefined && h("bdi", { class: "advice" }, hint)),
      ),
    ),
  );
}

export function themeButton(): HTMLElement {
  const toggle = button("", toggleTheme, { class: "theme" });
  const update = (): void => {
    toggle.textContent = isDark() ? "Light" : "Dark";
    toggle.setAttribute("aria-label", isDark() ? "Switch to light colours" : "Switch to dark colours");
  };
  onThemeChange(update);
  update();
  return toggle;
}
