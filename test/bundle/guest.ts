import { fileURLToPath } from "node:url";
import ivm from "isolated-vm";
import { buildTrusted } from "../../runtime/bundle/esbuild.ts";
import type { Bundle } from "../../runtime/bundle-types.ts";
import type { OpCall, Scope } from "../../runtime/capabilities/capability.ts";
import { crypto } from "../../runtime/capabilities/crypto.ts";
import { toWorkflowError } from "../../runtime/errors.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import { POST } from "../../sandbox/wire.ts";

/** Answers an op of the guest; throws to make it fail. */
export type Answer = (op: string, args: unknown) => unknown;

/** How a run in the guest ended: the returned value, or the error record. */
export interface GuestEnd {
  readonly ok: boolean;
  readonly value: unknown;
}

interface RunOptions {
  readonly input?: unknown;
  readonly answer?: Answer;
  readonly mode?: "execute" | "describe";
  readonly frozen?: boolean;
}

/** The name of bundles in stacks of the guest. */
export const SCRIPT_NAME = "weft:bundle";

const MANIFEST = ["http.request", ...Object.keys(crypto.ops)];
let prelude: Promise<string> | undefined;

async function preludeText(): Promise<string> {
  const file = fileURLToPath(new URL("../../sandbox/prelude.ts", import.meta.url));
  const text = await buildTrusted(file, { platform: "neutral" });
  return `(function(){"use strict";${text};const boot=globalThis.weftBoot;delete globalThis.weftBoot;return boot;})()`;
}

/** The real handlers of WebCrypto; a timer never fires. */
export async function cryptoAnswer(op: string, args: unknown): Promise<unknown> {
  if (op === "timer") return await new Promise(() => undefined);
  const found = crypto.ops[op];
  if (found === undefined) throw new Error(`no op ${op}`);
  const scope = {} as Scope;
  const call = { scope, signal: new AbortController().signal } as OpCall;
  return JSON.parse(await found.run(found.parse(args, scope), call));
}

async function toCompletion(answer: Answer, op: string, args: string): Promise<readonly [kind: string, json: string]> {
  try {
    return ["result", JSON.stringify((await answer(op, JSON.parse(args))) ?? null)];
  } catch (thrown) {
    const { code, message, details } = toWorkflowError(thrown);
    return ["error", JSON.stringify({ code, message, details })];
  }
}

const FACTS = {
  key: "k",
  bundleHash: "",
  isolation: "frozen",
  seed: "0".repeat(64),
  now: 0,
  deadlineAt: null,
  memoryMb: 128,
  cpuMs: 10_000,
  turnMs: 5_000,
  limits: DEFAULT_LIMITS,
  temporal: false,
};

const DATA = {
  messages: [],
  params: {},
  env: {},
  metadata: {},
  session_id: "s",
  request_id: "r",
  workflow_info: { ref_name: "t", version: null, depth: 0 },
  accessories: [],
};

/** The prelude's one function: kind, run, number, clock, text, ctx data, secrets, bundle. */
type Deliver = ivm.Reference<(...delivery: unknown[]) => void>;

/** A realm of its own with the real prelude booted in it. */
function bootRealm(isolate: ivm.Isolate, text: string, onPost: (...post: [number, number, string, string]) => void) {
  const context = isolate.createContextSync();
  const boot = isolate.compileScriptSync(text, { filename: "weft:prelude" }).runSync(context, { reference: true });
  const post = new ivm.Callback(onPost, { ignored: true });
  const deliver = boot.applySync(undefined, [post, JSON.stringify(MANIFEST)], {
    result: { reference: true },
  }) as Deliver;
  const turn = (kind: string, n: number, json: string, more: readonly unknown[] = ["", "{}", null]) =>
    deliver.apply(undefined, [kind, 1, n, 0, json, ...more] as never, { timeout: 5_000 });
  return { context, turn };
}

/** Runs (or describes) a bundle in a realm of a real isolate with the real prelude; frozen unless told otherwise. */
export async function runInGuest(bundle: Bundle, options: RunOptions = {}): Promise<GuestEnd> {
  prelude ??= preludeText();
  const text = await prelude;
  const isolate = new ivm.Isolate({ memoryLimit: 128 });
  try {
    return await new Promise<GuestEnd>((resolve, reject) => {
      const settle = async (n: number, op: string, args: string) => {
        const [kind, json] = await toCompletion(options.answer ?? cryptoAnswer, op, args);
        if (!isolate.isDisposed) await realm.turn(kind, n, json).catch(reject);
      };
      const realm = bootRealm(isolate, text, (kind, n, name, body) => {
        if (kind === POST.op) void settle(n, name, body);
        if (kind === POST.done) resolve({ ok: true, value: body === "" ? null : JSON.parse(body) });
        if (kind === POST.failed) resolve({ ok: false, value: JSON.parse(body) });
      });
      if (options.frozen !== false) realm.turn("harden", 0, "").catch(reject);
      const facts = JSON.stringify({ ...FACTS, mode: options.mode ?? "execute" });
      const data = JSON.stringify({ ...DATA, input: options.input ?? null });
      isolate
        .compileScript(bundle.code, { filename: SCRIPT_NAME })
        .then((script) => script.run(realm.context, { reference: true }))
        .then((loaded) => realm.turn("start", 0, facts, [data, "{}", loaded.derefInto()]))
        .catch(reject);
    });
  } finally {
    isolate.dispose();
  }
}
