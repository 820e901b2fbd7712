import { fileURLToPath } from "node:url";
import { buildTrusted } from "../../runtime/bundle/esbuild.ts";
import type { Bundle } from "../../runtime/bundle-types.ts";
import type { OpCall, Scope } from "../../runtime/capabilities/capability.ts";
import { crypto } from "../../runtime/capabilities/crypto.ts";
import { toWorkflowError } from "../../runtime/errors.ts";
import { createIsolate, type Delivery, type Realm } from "../../runtime/host/isolate.ts";
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

const MANIFEST = ["http.request", ...Object.keys(crypto.ops)];
let prelude: Promise<string> | undefined;

async function preludeText(): Promise<string> {
  const file = fileURLToPath(new URL("../../sandbox/prelude.ts", import.meta.url));
  const text = await buildTrusted(file, { platform: "neutral" });
  return `(function(){"use strict";${text};const boot=globalThis.weftBoot;delete globalThis.weftBoot;return boot;})()`;
}

/** The real handlers of WebCrypto. */
export async function cryptoAnswer(op: string, args: unknown): Promise<unknown> {
  const found = crypto.ops[op];
  if (found === undefined) throw new Error(`no op ${op}`);
  return JSON.parse(await found.run(found.parse(args, {} as Scope), {} as OpCall));
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

const DELIVERY: Delivery = { kind: "", run: 1, n: 0, now: 0, text: "", data: "", secrets: "{}", bundle: null };

async function turn(realm: Realm, delivery: Partial<Delivery>): Promise<void> {
  const end = await realm.turn({ ...DELIVERY, ...delivery }, 5_000);
  if (end.status !== "ok") throw new Error(JSON.stringify(end));
}

/** Runs (or describes) a bundle in a realm of a real isolate with the real prelude; frozen unless told otherwise. */
export async function runInGuest(bundle: Bundle, options: RunOptions = {}): Promise<GuestEnd> {
  prelude ??= preludeText();
  const text = await prelude;
  const isolate = createIsolate(128, () => undefined);
  try {
    return await new Promise<GuestEnd>((resolve, reject) => {
      const settle = async (n: number, op: string, args: string) => {
        const [kind, json] = await toCompletion(options.answer ?? cryptoAnswer, op, args);
        await turn(realm, { kind, n, text: json }).catch(reject);
      };
      const onPost = (...[kind, n, name, body]: [number, number, string, string, string]) => {
        if (kind === POST.op) void settle(n, name, body);
        if (kind === POST.done) resolve({ ok: true, value: body === "" ? null : JSON.parse(body) });
        if (kind === POST.failed) resolve({ ok: false, value: JSON.parse(body) });
      };
      const manifest = JSON.stringify(MANIFEST);
      const realm = isolate.firstRealm({ prelude: { name: "weft:prelude", text }, manifest, onPost });
      if (options.frozen !== false) realm.harden();
      const facts = JSON.stringify({ ...FACTS, mode: options.mode ?? "execute" });
      const data = JSON.stringify({ ...DATA, input: options.input ?? null });
      realm
        .load({ name: bundle.hash, text: bundle.code })
        .then((loaded) => turn(realm, { kind: "start", text: facts, data, bundle: loaded }))
        .catch(reject);
    });
  } finally {
    isolate.dispose();
  }
}
