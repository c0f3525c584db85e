/**
 * Labels that the program keeps in an AsyncLocalStorage. Where a context begins, in `run` and `enterWith`, the store that it begins
 * with is looked at; nothing of the program's runs for that, and no context is touched.
 */
import type { AsyncLocalStorage } from "node:async_hooks";
import type { types } from "node:util";
import { TAG_SOURCES } from "../recording/spec.ts";
import { StorageLabels } from "./labels.ts";
import { ownValue } from "./own-value.ts";
import { replace } from "./replace.ts";
import { type Stop, stopAll } from "./stop.ts";
import type { TagLog } from "./tag-log.ts";

const CONTEXT = TAG_SOURCES.indexOf("context");
/** What a store may name its kind of work by, the most telling first. */
const LABEL_KEYS = ["label", "tag", "route", "operation", "job", "task", "name", "type"];
/** Where OpenTelemetry's context has its values, and the active span among them. */
const VALUES = "_currentContext";
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");
/** A program that makes one for each request has its labels elsewhere. */
const MOST_STORAGES = 50;

type Types = Pick<typeof types, "isMap" | "isProxy">;
type Moments = Pick<TagLog, "moment">;
type Method = (this: unknown, ...words: unknown[]) => unknown;
type Methods = Record<string, unknown>;

/** `Storage` is AsyncLocalStorage, `types` of node:util. Nothing is done where its methods are not Node's, or not as they are known. */
export function followContexts(Storage: typeof AsyncLocalStorage, types: Types, log: Moments): Stop {
  const methods = Storage.prototype as unknown as Methods;
  const entered = noticing(types, log);
  const stops = entrances(methods).map((name) =>
    replace(methods, name, observed(name, methods[name] as Method, entered)),
  );
  return () => stopAll(stops);
}

/**
 * The methods that a context begins in. Where Node keeps contexts in a frame (from version 24 on), run begins its own with enterWith:
 * that one alone is enough, and none of our functions is on the stack while the program's runs.
 */
function entrances({ run, enterWith }: Methods): readonly string[] {
  if (typeof run !== "function" || typeof enterWith !== "function") return [];
  const [sourceOfRun, sourceOfEnterWith] = [run, enterWith].map((method) => Function.prototype.toString.call(method));
  if (sourceOfRun?.includes("this.enterWith(") && sourceOfEnterWith?.includes("AsyncContextFrame"))
    return ["enterWith"];
  const isByHooks = sourceOfRun?.includes("this._enable()") && sourceOfEnterWith?.includes("this._enable()");
  return isByHooks ? ["run", "enterWith"] : [];
}

/** The method as it was, but that `entered` is told of the storage and the store first. */
function observed(name: string, method: Method, entered: (storage: unknown, store: unknown) => void): Method {
  const { apply } = Reflect;
  // A method is no constructor, as Node's own is none.
  const { [name]: wrapped } = {
    [name](this: unknown, ...words: unknown[]): unknown {
      entered(this, words[0]);
      return apply(method, this, words);
    },
  };
  return Object.defineProperty(wrapped as Method, "length", { value: method.length, configurable: true });
}

/** Never throws. */
function noticing(types: Types, log: Moments): (storage: unknown, store: unknown) => void {
  const labelsOf = new WeakMap<object, StorageLabels>();
  const labelIn = labelReader(types);
  let storages = 0;
  return (storage, store) => {
    if (store === undefined || store === null) return;
    try {
      let labels = labelsOf.get(storage as object);
      if (labels === undefined) {
        if (storages === MOST_STORAGES) return;
        labels = new StorageLabels();
        labelsOf.set(storage as object, labels);
        storages++;
      }
      if (!labels.areLikely) return;
      const label = labelIn(store, labels);
      if (labels.admits(label) && label !== null) log.moment(CONTEXT, label);
    } catch {
      // What is entered on something else is Node's to refuse.
    }
  };
}

/** Of a store: itself where it is a text, else what one of its properties or entries says, or the name of OpenTelemetry's active span. */
function labelReader({ isMap, isProxy }: Types): (store: unknown, labels: StorageLabels) => string | null {
  // The program's own map may have other methods.
  const { apply } = Reflect;
  const { get } = Map.prototype;
  const entry = (map: object, key: unknown): unknown => apply(get, map, [key]);
  const isPlain = (value: unknown): value is object => typeof value === "object" && value !== null && !isProxy(value);
  return (store, labels) => {
    if (!isPlain(store)) return textLabel(store, labels);
    if (isMap(store)) return firstLabel(store, entry, labels);
    const values = ownValue(store, VALUES);
    if (!isPlain(values) || !isMap(values)) return firstLabel(store, ownValue, labels);
    const span = entry(values, SPAN);
    return isPlain(span) ? textLabel(ownValue(span, "name"), labels) : null;
  };
}

type ReadValue = (store: object, key: string) => unknown;

function firstLabel(store: object, read: ReadValue, labels: StorageLabels): string | null {
  for (const key of LABEL_KEYS) {
    const label = textLabel(read(store, key), labels);
    if (label !== null) return label;
  }
  return null;
}

function textLabel(text: unknown, labels: StorageLabels): string | null {
  return typeof text === "string" ? labels.labelOf(text) : null;
}
