// The search box: looks through search-index.js, which is loaded when somebody is about to search.
(() => {
  const MOST_FOUND = 20;
  /** Characters before what was found, and of a snippet altogether. */
  const BEFORE = 60;
  const SNIPPET = 180;

  const root = new URL(".", document.currentScript.src);
  const box = document.querySelector("search");
  const input = box.querySelector("input");
  const panel = box.querySelector("#found");
  const status = panel.querySelector("p");
  const list = panel.querySelector("ol");
  let sections = null;

  /** Resolves when there is something to search. */
  const load = () => {
    load.once ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL("search-index.js", root).href;
      script.onload = resolve;
      script.onerror = () => reject(new Error("search-index.js is missing"));
      document.head.append(script);
    }).then(() => {
      sections = globalThis.gcspikeSearchIndex.flatMap(([page, title, parts]) =>
        parts.map(([anchor, heading, text]) => ({
          href: new URL(heading === "" ? page : `${page}#${anchor}`, root).href,
          title,
          heading,
          text,
          lower: { title: title.toLowerCase(), heading: heading.toLowerCase(), text: text.toLowerCase() },
        })),
      );
    });
    return load.once;
  };

  /** How much a section is about a term; 0: it is not in it. */
  const scoreOf = ({ title, heading, text }, term) => {
    const isWord = (where) => where.split(/[^\p{L}\p{N}.-]+/u).includes(term);
    let score = 0;
    if (heading.includes(term)) score += isWord(heading) ? 12 : 6;
    // Of a page that is about it, the beginning.
    if (title.includes(term)) score += (isWord(title) ? 5 : 3) * (heading === "" ? 3 : 1);
    const times = text.split(term).length - 1;
    return score + Math.min(times, 4) * (isWord(text) ? 1 : 0.5);
  };

  const find = (terms) =>
    sections
      .flatMap((section) => {
        const scores = terms.map((term) => scoreOf(section.lower, term));
        return scores.includes(0) ? [] : [{ section, score: scores.reduce((sum, score) => sum + score) }];
      })
      .sort((a, b) => b.score - a.score);

  /** Text with the terms marked. */
  const marked = (text, terms) => {
    const escaped = terms.map((term) => term.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
    const fragment = document.createDocumentFragment();
    const parts = text.split(new RegExp(`(${escaped.join("|")})`, "giu"));
    for (const [index, part] of parts.entries()) {
      const found = document.createElement("mark");
      found.append(part);
      fragment.append(index % 2 === 0 ? part : found);
    }
    return fragment;
  };

  /** The part of a section's text in which the first of the terms stands. */
  const snippet = ({ text, lower }, terms) => {
    const places = terms.map((term) => lower.text.indexOf(term)).filter((place) => place >= 0);
    const from = Math.max(0, Math.min(...places, text.length) - BEFORE);
    const start = places.length === 0 || from === 0 ? 0 : text.indexOf(" ", from) + 1;
    const part = text.slice(start, start + SNIPPET);
    return `${start > 0 ? "... " : ""}${part}${start + SNIPPET < text.length ? " ..." : ""}`;
  };

  const itemOf = (section, terms) => {
    const link = document.createElement("a");
    link.href = section.href;
    const title = document.createElement("strong");
    title.append(marked(section.heading === "" ? section.title : `${section.title}: ${section.heading}`, terms));
    const text = document.createElement("span");
    text.append(marked(snippet(section, terms), terms));
    link.append(title, text);
    const item = document.createElement("li");
    item.append(link);
    return item;
  };

  const show = async () => {
    const query = input.value;
    const terms = [...new Set(query.toLowerCase().split(/\s+/))].filter((term) => term !== "");
    panel.hidden = terms.length === 0;
    if (terms.length === 0) return;
    await load();
    // Somebody typed on meanwhile.
    if (query !== input.value) return;
    const found = find(terms);
    const more = found.length > MOST_FOUND ? `, of which the best ${MOST_FOUND}` : "";
    status.textContent =
      found.length === 0 ? "Nothing found." : `${found.length} ${found.length === 1 ? "section" : "sections"}${more}`;
    list.replaceChildren(...found.slice(0, MOST_FOUND).map(({ section }) => itemOf(section, terms)));
  };

  const move = (by) => {
    const stops = [input, ...list.querySelectorAll("a")];
    stops[stops.indexOf(document.activeElement) + by]?.focus();
  };

  input.addEventListener("focus", load);
  input.addEventListener("input", show);
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Enter" && event.target === input) list.querySelector("a")?.click();
    else if (event.key === "Escape") {
      panel.hidden = true;
      input.value = "";
      input.focus();
    } else return;
    event.preventDefault();
  });
  // A link to a section of this page leaves the page, and the panel with it, where they are.
  list.addEventListener("click", () => {
    panel.hidden = true;
  });
  document.addEventListener("pointerdown", (event) => {
    if (!box.contains(event.target)) panel.hidden = true;
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select") !== null;
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
  });
  box.hidden = false;
})();
