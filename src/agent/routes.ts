/** Names of HTTP requests that are few and hold no values: the route where a framework tells it, else what looks like one. */
import { ownValue } from "./own-value.ts";
import { isWord } from "./words.ts";

const MOST_SEGMENTS = 8;
/** In a route that matches one part of an address or many: wildcards, what is optional, groups. */
const HAS_OPEN_LENGTH = /[*?+({]/;

const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;
const HASH = 0x23;

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
  for (let end = start; end < url.length; end++) {
    const code = url.charCodeAt(end);
    if (code === SLASH || code === QUESTION_MARK || code === HASH) return end;
  }
  return url.length;
}

/** The route that Express, or what is built like it, matched to a request; null where none is known. */
export function matchedRoute(request: object, method: string): string | null {
  const route = ownValue(request, "route");
  if (typeof route !== "object" || route === null) return null;
  const path = ownValue(route, "path");
  if (typeof path !== "string" || path[0] !== "/") return null;
  const base = mountPath(request, path);
  const mounted = base.length > 1 ? routeOf(base) : "";
  return `${method} ${path === "/" && mounted !== "" ? mounted : mounted + path}`;
}

/**
 * Where the router of the route `path` is mounted. Express takes `baseUrl` back when a router hands on: if an outer one answered, as
 * json-server's does, it is what the address has before the part that the route matched.
 */
function mountPath(request: object, path: string): string {
  const base = ownValue(request, "baseUrl");
  if (typeof base !== "string") return "";
  const url = base === "" ? ownValue(request, "originalUrl") : undefined;
  if (typeof url !== "string" || HAS_OPEN_LENGTH.test(path)) return base;
  const parts = partsOf(url);
  const matched = partsOf(path);
  const mount = parts.slice(0, Math.max(0, parts.length - matched.length));
  const isMatched = matched.every((part, i) => part[0] === ":" || part === parts[mount.length + i]);
  return isMatched ? `/${mount.join("/")}` : "";
}

function partsOf(url: string): readonly string[] {
  const end = url.search(/[?#]/);
  return (end < 0 ? url : url.slice(0, end)).split("/").filter((part) => part !== "");
}
