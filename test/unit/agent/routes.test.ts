import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchedRoute, routeName } from "../../../src/agent/routes.ts";

describe("the name of a request", () => {
  test.each([
    ["/", "/"],
    ["/users/12/orders?page=2", "/users/:id/orders"],
    ["/users/12", "/users/:id"],
    ["/v1/oauth2/index.html#top", "/v1/oauth2/index.html"],
    ["/a/550e8400-e29b-41d4-a716-446655440000", "/a/:id"],
    ["/commit/deadbeef", "/commit/:id"],
    ["/commit/3f2a9c", "/commit/:id"],
    ["/bad/facade", "/bad/facade"],
    ["/mail/ann%40example.org/x@y", "/mail/:id/:id"],
    ["/reset/aVeryLongWordThatIsProbablyAToken", "/reset/:id"],
    ["/static//app/", "/static//app/"],
    ["/a/b/c/d/e/f/g/h/i/j", "/a/b/c/d/e/f/g/h/..."],
    ["/a/b/c/d/e/f/g/h", "/a/b/c/d/e/f/g/h"],
    ["/?token=1", "/"],
    ["*", "*"],
    ["", "*"],
    ["http://example.org/secret", "*"],
  ])("%s is %s", (url, route) => {
    expect(routeName("GET", url)).toBe(`GET ${route}`);
  });

  test("holds no number of three digits, nothing behind a question mark, and is not long", () => {
    const path = fc.array(
      fc.oneof(
        fc.nat().map(String),
        fc.uuid(),
        fc.string(),
        fc.constantFrom("users", "v1", "a-b", "?x=1", "#", "\ud800"),
      ),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(path, (segments) => {
        const name = routeName("GET", `/${segments.join("/")}`);
        expect(name).toMatch(/^GET \/[\w/:.~-]*$/);
        expect(name).not.toMatch(/\d{3}/);
        expect(name.length).toBeLessThan(8 * 33 + 8);
      }),
    );
  });

  test("is that of its name: naming a route again changes nothing", () => {
    fc.assert(
      fc.property(fc.webPath(), (path) => {
        const route = routeName("GET", path).slice("GET ".length);
        fc.pre(!route.endsWith("/..."));
        // ":id" is no word, and becomes ":id".
        expect(routeName("GET", route)).toBe(`GET ${route}`);
      }),
    );
  });
});

describe("the route that a framework matched", () => {
  test("with what the router is mounted at, of which values are left out", () => {
    const route = { path: "/orders/:order" };
    expect(matchedRoute({ route, baseUrl: "" }, "GET")).toBe("GET /orders/:order");
    expect(matchedRoute({ route, baseUrl: "/users/4711" }, "PUT")).toBe("PUT /users/:id/orders/:order");
    expect(matchedRoute({ route: { path: "/" }, baseUrl: "/users" }, "GET")).toBe("GET /users");
    expect(matchedRoute({ route: { path: "/" } }, "GET")).toBe("GET /");
  });

  test.each([
    ["/orders?_page=2", "/", "/orders"],
    ["/orders/17", "/:id", "/orders/:id"],
    ["/customers/5/orders", "/", "/customers/:id/orders"],
    ["/api/users/4711/Orders/", "/Orders", "/api/users/:id/Orders"],
    // Mounted nowhere.
    ["/orders/17", "/orders/:order", "/orders/:order"],
    ["/", "/", "/"],
    // Another address than the route was matched to, and routes that do not say how much of it they matched.
    ["/old/place/17", "/orders/:id", "/orders/:id"],
    ["/x", "/orders/:id", "/orders/:id"],
    ["/files/a/b/c", "/*", "/*"],
    ["/files/a", "/:name?", "/:name?"],
  ])("of %s, answered by an outer router, %s is %s", (originalUrl, path, name) => {
    expect(matchedRoute({ route: { path }, baseUrl: "", originalUrl }, "GET")).toBe(`GET ${name}`);
  });

  test("is unknown where it is no path; no code of the program's runs", () => {
    const forbidden = (): never => {
      throw new Error("ran");
    };
    const inherited = Object.create({ route: { path: "/inherited" } }) as object;
    const getter = Object.defineProperty({}, "route", { get: forbidden });
    const path = { route: Object.defineProperty({}, "path", { get: forbidden }) };
    for (const request of [{}, inherited, getter, path, { route: null }, { route: { path: /x/ } }, { route: "/x" }]) {
      expect(matchedRoute(request, "GET")).toBeNull();
    }
  });
});
