/** Names of HTTP requests that are few and hold no values: the route where a framework tells it, else what looks like one. */

const MOST_SEGMENTS = 8;
/** A word of a path: letters, with at most two digits together at its end ("v1", "oauth2", "index.html"). */
const WORD = /^[A-Za-z_~.-]{1,24}\d{0,2}(?:\.[A-Za-z]{1,5})?$/;
/** Eight letters that are all hexadecimal digits are an id rather than a word. */
const HEXADECIMAL = /^[\da-f-]{8,}$/i;

/** "GET /users/:id/orders": no query, and `:id` for every part of the path that may be a value. */
export function routeName(method: string, url: string): string {
  return `${method} ${routeOf(url)}`;
}

function routeOf(url: string): string {
  if (url[0] !== "/") return "*";
  const query = url.search(/[?#]/);
  // Beyond what names a route, so that a URL of megabytes costs nothing.
  const segments = (query < 0 ? url : url.slice(0, query)).slice(1, 1000).split("/", MOST_SEGMENTS + 1);
  const names = segments.slice(0, MOST_SEGMENTS).map(segmentName);
  return `/${names.join("/")}${segments.length > MOST_SEGMENTS ? "/..." : ""}`;
}

function segmentName(segment: string): string {
  return segment === "" || (WORD.test(segment) && !HEXADECIMAL.test(segment)) ? segment : ":id";
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
