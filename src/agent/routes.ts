/** Names of HTTP requests that are few and hold no values: the route where a framework tells it, else what looks like one. */

const MOST_SEGMENTS = 8;
const LONGEST_WORD = 32;
/** "v1", "oauth2", "s3". */
const MOST_DIGITS_OF_WORD = 2;
/** As many letters that are all hexadecimal digits are an id. */
const LEAST_HEXADECIMAL = 8;

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

function isWord(url: string, start: number, end: number): boolean {
  if (end - start > LONGEST_WORD) return false;
  let digits = 0;
  let hexadecimal = 0;
  for (let i = start; i < end; i++) {
    const code = url.charCodeAt(i);
    const letter = code | 0x20;
    const isDigit = code >= 0x30 && code <= 0x39;
    if (isDigit) digits++;
    else if (!(letter >= 0x61 && letter <= 0x7a) && !isOneOf("-._~", code)) return false;
    if (isDigit || (letter >= 0x61 && letter <= 0x66)) hexadecimal++;
  }
  const isHexadecimal = hexadecimal === end - start;
  if (isHexadecimal && (digits > 0 || hexadecimal >= LEAST_HEXADECIMAL)) return false;
  return digits <= MOST_DIGITS_OF_WORD;
}

function isOneOf(characters: string, code: number): boolean {
  for (let i = 0; i < characters.length; i++) if (characters.charCodeAt(i) === code) return true;
  return false;
}

/** A property's value where it is the object's own and no getter, which would run code of the program's. */
function ownValue(object: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(object, name)?.value;
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
