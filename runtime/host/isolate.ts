import { setFlagsFromString } from "node:v8";
import ivm from "isolated-vm";

/** A script text and the name its stack frames show. */
export interface GuestScript {
  readonly name: string;
  readonly text: string;
}

/** What a realm posts (see POST in sandbox/wire.ts); an attacker may have written every member. */
export type GuestPost = [kind: number, n: number, name: string, text: string, more: string];

/** Takes one post out of a realm. */
export type OnPost = (...post: GuestPost) => void;

/** One delivery into a realm. */
export interface Delivery {
  readonly kind: string;
  readonly run: number;
  readonly n: number;
  readonly now: number;
  readonly text: string;
  /** For `start`: JSON texts of the ctx data and the secrets. */
  readonly data: string;
  readonly secrets: string;
  /** For `start`: the loaded bundle. */
  readonly bundle: LoadedBundle | null;
}

/** A bundle function that lives in one realm; opaque outside this file. */
export interface LoadedBundle {
  readonly reference: ivm.Reference;
}

/** How a turn ended: only `ok` and `rejection` leave the isolate usable. `slow`: it, or an unwatched one before it, may have been stopped. */
export type TurnEnd =
  | { readonly status: "ok" }
  | { readonly status: "slow" }
  | { readonly status: "rejection"; readonly message: string }
  | { readonly status: "timeout" }
  | { readonly status: "memory" }
  | { readonly status: "disposed" };

/** How a turn ended that nobody waits for: what went wrong shows in the next one that is waited for, or in the time they took. */
export const UNWATCHED: TurnEnd = Object.freeze({ status: "ok" });

/** A global object with the prelude booted in it. */
export interface Realm {
  /** Freezes all intrinsics and the global object; `needs` are the large globals to keep (see sandbox/wire.ts). */
  harden(needs: number): void;
  /** Evaluates a bundle's outer function expression at once; only while no turn runs in the isolate. */
  loadNow(script: GuestScript): LoadedBundle;
  /** The same, off this thread and whatever the isolate is doing; rejects with what the compiler says. */
  loadLater(script: GuestScript): Promise<LoadedBundle>;
  /** One turn: delivers, then drains microtasks. Never rejects. */
  turn(delivery: Delivery, timeoutMs: number): Promise<TurnEnd>;
  /** Gives a run recorded deliveries (see FedItem in sandbox/wire.ts) for its next steps; no turn. */
  feed(run: number, text: string): void;
  /** One turn with the next delivery of the feed; `watched`: resolves when it has returned, else at once to {@link UNWATCHED}. */
  step(run: number, timeoutMs: number, watched: boolean): TurnEnd | Promise<TurnEnd>;
  /** Lets the realm be collected. */
  release(): void;
}

/** What a realm is booted with. */
export interface RealmOptions {
  /** An expression that yields the boot function. */
  readonly prelude: GuestScript;
  /** JSON text of the op names. */
  readonly manifest: string;
  readonly onPost: OnPost;
}

/** One V8 isolate. */
export interface IsolateBox {
  /** A realm at once: only while no turn runs in the isolate (it would block this thread until that ends). */
  realmNow(options: RealmOptions): Realm;
  /** Collects all garbage and gives its pages back, a few ms of work; begun only while no turn runs. Never rejects. */
  collect(timeoutMs: number): Promise<TurnEnd>;
  /** Keeps the code of a script that has run in the isolate with what was compiled of it, for other isolates; only while no turn runs. */
  keepCode(script: GuestScript): void;
  /** Time spent inside the isolate so far, in milliseconds. */
  activeMs(): number;
  isDisposed(): boolean;
  dispose(): void;
}

/** Compiled code, as V8 cached data we made ourselves; in memory only, never from outside. */
interface KeptCode {
  readonly data: ivm.ExternalCopy<ArrayBuffer>;
  /** False: made before the script ran, without the functions inside it. */
  readonly hasRun: boolean;
}

/** By script name. */
const codeCache = new Map<string, KeptCode>();
const MAX_CACHED_SCRIPTS = 512;
/** Evaluating a bundle only makes its outer function. */
const LOAD_MS = 1_000;

function cacheOptions(name: string): { cachedData: ivm.ExternalCopy<ArrayBuffer> } | { produceCachedData: true } {
  const kept = codeCache.get(name);
  return kept === undefined ? { produceCachedData: true } : { cachedData: kept.data };
}

function remember(name: string, script: ivm.Script, hasRun: boolean): void {
  const { cachedData: data } = script as { readonly cachedData?: ivm.ExternalCopy<ArrayBuffer> };
  if (data === undefined || (!hasRun && codeCache.has(name))) return;
  if (codeCache.size >= MAX_CACHED_SCRIPTS) codeCache.delete(codeCache.keys().next().value as string);
  codeCache.set(name, { data, hasRun });
}

/** V8 still knows a script that it has compiled in the isolate, and with it every function that was compiled since. */
function keepCode(isolate: ivm.Isolate, { name, text }: GuestScript): void {
  try {
    remember(name, isolate.compileScriptSync(text, { filename: name, produceCachedData: true }), true);
  } catch {
    // It is out of memory: whatever runs in it next is told.
  }
}

function toTurnEnd(isolate: ivm.Isolate, error: unknown): TurnEnd {
  const message = error instanceof Error ? error.message : String(error);
  if (isolate.isDisposed) return { status: message.includes("memory limit") ? "memory" : "disposed" };
  if (message.startsWith("Script execution timed out")) return { status: "timeout" };
  return { status: "rejection", message };
}

async function endOf(isolate: ivm.Isolate, begin: () => Promise<unknown>): Promise<TurnEnd> {
  try {
    await begin();
    return { status: "ok" };
  } catch (error) {
    return toTurnEnd(isolate, error);
  }
}

type Deliver = ivm.Reference<(...delivery: unknown[]) => void>;

function realmOf(isolate: ivm.Isolate, context: ivm.Context, deliver: Deliver): Realm {
  // A reference that is not released keeps its whole context alive.
  const loaded: ivm.Reference[] = [];
  const keep = (reference: ivm.Reference): LoadedBundle => {
    loaded.push(reference);
    return { reference };
  };
  return {
    harden(needs) {
      deliver.applySync(undefined, ["harden", 0, needs, 0, "", "", "", null]);
    },
    loadNow(script) {
      const code = isolate.compileScriptSync(script.text, { filename: script.name, ...cacheOptions(script.name) });
      return keep(code.runSync(context, { reference: true, timeout: LOAD_MS }));
    },
    async loadLater(script) {
      const code = await isolate.compileScript(script.text, { filename: script.name, ...cacheOptions(script.name) });
      remember(script.name, code, false);
      return keep(await code.run(context, { reference: true, timeout: LOAD_MS }));
    },
    turn({ kind, run, n, now, text, data, secrets, bundle }, timeout) {
      return endOf(isolate, () => {
        const code = bundle === null ? null : bundle.reference.derefInto();
        return deliver.apply(undefined, [kind, run, n, now, text, data, secrets, code], { timeout });
      });
    },
    feed(run, text) {
      if (!isolate.isDisposed) deliver.applyIgnored(undefined, ["feed", run, 0, 0, text]);
    },
    step(run, timeout, watched) {
      if (watched) return endOf(isolate, () => deliver.apply(undefined, ["next", run], { timeout }));
      if (!isolate.isDisposed) deliver.applyIgnored(undefined, ["next", run], { timeout });
      return UNWATCHED;
    },
    release() {
      if (isolate.isDisposed) return;
      for (const reference of loaded) reference.release();
      deliver.release();
      context.release();
    },
  };
}

function createRealmNow(isolate: ivm.Isolate, { prelude, manifest, onPost }: RealmOptions): Realm {
  const context = isolate.createContextSync();
  const compiled = isolate.compileScriptSync(prelude.text, { filename: prelude.name, ...cacheOptions(prelude.name) });
  remember(prelude.name, compiled, false);
  const boot = compiled.runSync(context, { reference: true });
  const callback = new ivm.Callback(onPost, { ignored: true });
  const deliver = boot.applySync(undefined, [callback, manifest], { result: { reference: true } }) as Deliver;
  boot.release();
  return realmOf(isolate, context, deliver);
}

/** A context that has V8's `gc`: only one made while the flag is set does, and it cannot be deleted again. */
function createCollectingContext(isolate: ivm.Isolate): ivm.Context {
  setFlagsFromString("--expose-gc");
  try {
    return isolate.createContextSync();
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}

/** The context is made for one collection, so that no guest ever sees `gc`. */
async function collectGarbage(isolate: ivm.Isolate, timeoutMs: number): Promise<TurnEnd> {
  try {
    const context = createCollectingContext(isolate);
    await context.eval('gc({ type: "major", flavor: "last-resort" })', { timeout: timeoutMs });
    context.release();
    return { status: "ok" };
  } catch (error) {
    return toTurnEnd(isolate, error);
  }
}

/** True when compiling the script is cheap: this process has compiled it before. */
export function isCompiled(script: GuestScript): boolean {
  return codeCache.has(script.name);
}

/** True when its code is kept as it was after a run. */
export function hasRun(script: GuestScript): boolean {
  return codeCache.get(script.name)?.hasRun === true;
}

/** Makes an isolate with a heap limit; `onStuck` is told when V8 itself failed and the process must be replaced. */
export function createIsolate(memoryMb: number, onStuck: (message: string) => void): IsolateBox {
  const isolate = new ivm.Isolate({ memoryLimit: Math.max(8, memoryMb), onCatastrophicError: onStuck });
  return {
    realmNow: (options) => createRealmNow(isolate, options),
    collect: (timeoutMs) => collectGarbage(isolate, timeoutMs),
    keepCode(script) {
      if (!isolate.isDisposed) keepCode(isolate, script);
    },
    activeMs: () => (isolate.isDisposed ? 0 : Number(isolate.cpuTime) / 1e6),
    isDisposed: () => isolate.isDisposed,
    dispose() {
      if (!isolate.isDisposed) isolate.dispose();
    },
  };
}
