/** Tags from diagnostics_channel: what the program publishes on gcspike:tag, and the requests of node:http. */
import { TAG_SOURCES } from "../recording/spec.ts";
import { matchedRoute, routeName } from "./routes.ts";
import { type Stop, stopAll } from "./stop.ts";
import type { TagLog } from "./tag-log.ts";

const PUBLISHED = TAG_SOURCES.indexOf("tag");
const HTTP = TAG_SOURCES.indexOf("http");

type Listener = (message: unknown) => void;

/** What of node:diagnostics_channel is needed. */
export interface Channels {
  readonly subscribe: (channel: string, listener: Listener) => void;
  readonly unsubscribe: (channel: string, listener: Listener) => boolean;
}

/** What a subscriber throws would end the program: nothing may come out of ours. */
function quietly<T>(listener: (message: T) => void): Listener {
  return (message) => {
    try {
      listener(message as T);
    } catch {
      // A message that is not what it should be is no tag.
    }
  };
}

function nameOf(message: unknown): string | null {
  const name: unknown = typeof message === "object" ? (message as { readonly name?: unknown } | null)?.name : message;
  return typeof name === "string" ? name : null;
}

interface Exchange {
  readonly request: { readonly method: string; readonly url: string };
  readonly response: object;
}

export function followChannels({ subscribe, unsubscribe }: Channels, log: TagLog): Stop {
  const stops: Stop[] = [];
  const follow = (channel: string, listener: Listener): void => {
    subscribe(channel, listener);
    stops.push(() => unsubscribe(channel, listener));
  };
  follow(
    "gcspike:tag",
    quietly((message: unknown) => {
      const name = nameOf(message);
      if (name !== null) log.moment(PUBLISHED, name);
    }),
  );
  // Weak, because a response that its client gave up on is never finished; and not a property of it, which the program could see.
  const going = new WeakMap<object, number>();
  follow(
    "http.server.request.start",
    quietly(({ request, response }: Exchange) => {
      const tag = log.begin(HTTP, routeName(request.method, request.url));
      if (tag >= 0) going.set(response, tag);
    }),
  );
  follow(
    "http.server.response.finish",
    quietly(({ request, response }: Exchange) => {
      const tag = going.get(response);
      if (tag === undefined) return;
      going.delete(response);
      log.end(HTTP, tag, matchedRoute(request, request.method));
    }),
  );
  return () => stopAll(stops);
}
