/** Building the page. Text only ever becomes a text node, so that a function named `<script>` is read, not run. */

export type Child = Node | string | null | false;
export type Attributes = Readonly<Record<string, string | boolean>>;

/** An HTML element. A `true` attribute is present without a value, `false` is absent. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) {
    if (child !== null && child !== false) element.append(child);
  }
  return element;
}

export function button(label: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const element = h("button", { type: "button", ...attributes }, label);
  element.addEventListener("click", onClick);
  return element;
}

/** A name out of the recording: its writing direction stays inside, and it may break anywhere. */
export function name(text: string, className = "name"): HTMLElement {
  return h("bdi", { class: className, title: text }, text);
}

/** A section with a heading that assistive technology can find by name. */
export function section(id: string, title: string, ...children: readonly Child[]): HTMLElement {
  return h("section", { id, "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title` }, title), ...children);
}

/** A horizontal bar that is `share` (0..1) of its place long. */
export function meter(share: number, className = ""): HTMLElement {
  const fill = h("span", { class: `meter-fill ${className}` });
  fill.style.width = `${Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * 100}%`;
  return h("span", { class: "meter", "aria-hidden": "true" }, fill);
}
