/** Names of HTTP requests that are few and hold no values: the route where a framework tells it, else what looks like one. */
import { ownValue } from "./own-value.ts";
import { isOneOf, isWord } from "./words.ts";

const MOST_SEGMENTS = 8;
const SLASH = 0x2f;

/** "GET /users/:id/orders": no query, and `:id` for every part of the path that may be a value. */
export function routeName(method: string, url: string): string {
  return `${method} ${routeOf(url)}`;
}

/** One pass over the path: this is done for each request. */
function routeOf(url: string): string {
  if (url.charCodeAt(0) !== SLASH) return "*";
  let route = "";
  let copied = 0;
  let segments = 0;
  for (let start = 1; ; ) {
    const end = segmentEnd(url, start);
    if (end > start && !isWord(url, start, end)) {
      route += `${url.slice(copied, start)}:id`;
      copied = end;
    }
    if (url.charCodeAt(end) !== SLASH) return route + url.slice(copied, end);
    segments++;
    if (segments === MOST_SEGMENTS) return `${route}${url.slice(copied, end)}/...`;
    start = end + 1;
  }
}

/** Where the next slash, the query or the end is. */
function segmentEnd(url: string, start: number): number {
  let end = start;
  while (end < url.length && !isOneOf("/?#", url.charCodeAt(end))) end++;
  return end;
}

/** The route that Express, or what is built like it, matched to a request; null where none is known. */
export function matchedRoute(request: object, method: string): string | null {
  const route = ownValue(request, "route");
  if (typeof route !== "object" || route === null) return null;
  const path = ownValue(route, "path");
  if (typeof path !== "string" || path[0] !== "/") return null;
  const base = ownValue(request, "baseUrl");
  const mounted = typeof base === "string" && base.length > 1 ? routeOf(base) : "";
  return `${method} ${path === "/" && mounted !== "" ? mounted : mounted + path}`;
}
