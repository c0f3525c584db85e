import type { Stop } from "./stop.ts";

/**
 * Puts a value of ours in the place of a property's. The way back leaves alone what the program put there meanwhile, which may call
 * ours: that has to do without us then.
 */
export function replace<T extends object, K extends keyof T>(owner: T, name: K, value: T[K]): Stop {
  const own = Object.getOwnPropertyDescriptor(owner, name);
  owner[name] = value;
  return () => {
    if (owner[name] !== value) return;
    if (own === undefined) delete owner[name];
    else Object.defineProperty(owner, name, own);
  };
}
