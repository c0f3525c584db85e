export interface Section {
  readonly level: number;
  readonly slug: string;
  readonly heading: string;
  readonly text: string;
}

export interface ParsedPage {
  readonly path: string;
  readonly title: string;
  readonly sections: readonly Section[];
  readonly links: readonly string[];
}

export function slugOf(text: string): string;
export function parsePage(path: string, text: string): ParsedPage;
export function renderPage(page: ParsedPage, outputOf: (path: string) => string): string;
