import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ModelStub, type StubAnswer, startModelStub } from "../support/model-stub.ts";
import { startTwoAccountServer, type TwoAccountServer } from "../support/two-accounts.ts";
import { differenceOf } from "./match.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What the model answers: the first rule whose text the request has, else `usual`. */
interface ModelRules {
  readonly rules?: readonly (StubAnswer & { readonly when: string })[];
  readonly usual?: StubAnswer;
}

interface Step {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly body?: unknown;
    /** Sent as it is. */
    readonly raw?: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** `owner` by default. */
    readonly key?: "owner" | "stranger" | "none";
    readonly form?: Readonly<Record<string, string | { readonly filename: string; readonly text: string }>>;
  };
  readonly model?: ModelRules;
  /** Sends it so many times at once; `statuses` says how many answers have which status. */
  readonly times?: number;
  readonly statuses?: Readonly<Record<string, number>>;
  /** Repeats the request until the body is like this. */
  readonly until?: unknown;
  /** Waits before the request, ms. */
  readonly afterMs?: number;
  readonly response?: {
    readonly status: number;
    readonly headers?: unknown;
    readonly body?: unknown;
    readonly text?: unknown;
    /** The `data:` objects of an event stream. */
    readonly events?: unknown;
  };
  /** Values for later steps: name → path in the body, such as `nodes.0.id`. */
  readonly save?: Readonly<Record<string, string>>;
  /** What the model was asked since the case began. */
  readonly calls?: unknown;
  readonly mostOpen?: unknown;
}

interface Case {
  readonly check: number;
  /** The sentence of the contract. */
  readonly says: string;
  readonly steps: readonly Step[];
}

const CASE_KEYS = new Set(["check", "says", "steps"]);
const STEP_KEYS = new Set("request model times statuses until afterMs response save calls mostOpen".split(" "));
const UNTIL_MS = 20_000;

/** Reads a case; one that is malformed, or asserts nothing, is an error. */
export function parseCase(text: string, file: string): Case {
  const read = JSON.parse(text) as Case;
  const wrong = (what: string) => new Error(`${file}: ${what}`);
  for (const key of Object.keys(read)) if (!CASE_KEYS.has(key)) throw wrong(`there is no member ${key}`);
  if (!Number.isInteger(read.check) || typeof read.says !== "string") throw wrong("check and says are required");
  if (!Array.isArray(read.steps) || read.steps.length === 0) throw wrong("steps are required");
  if (!file.startsWith(`${String(read.check).padStart(2, "0")}-`)) throw wrong(`must begin with ${read.check}-`);
  for (const [i, step] of read.steps.entries()) {
    for (const key of Object.keys(step)) if (!STEP_KEYS.has(key)) throw wrong(`steps[${i}]: there is no member ${key}`);
    const asserts = step.response ?? step.statuses ?? step.until ?? step.calls;
    if (asserts === undefined) throw wrong(`steps[${i}] asserts nothing`);
  }
  return read;
}

/** All cases of a folder. */
export function readCases(dialect: string): readonly { readonly file: string; readonly parsed: Case }[] {
  const folder = join(import.meta.dirname, dialect);
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort();
  return files.map((file) => ({ file, parsed: parseCase(readFileSync(join(folder, file), "utf8"), file) }));
}

/** Replaces `${name}` by what was saved; a text that is nothing else keeps the type of the value. */
function filled(value: unknown, saved: ReadonlyMap<string, unknown>): unknown {
  if (typeof value === "string") {
    const whole = /^\$\{(\w+)\}$/.exec(value)?.[1];
    if (whole !== undefined) return savedAs(whole, saved);
    return value.replaceAll(/\$\{(\w+)\}/g, (_all, name: string) => String(savedAs(name, saved)));
  }
  if (Array.isArray(value)) return value.map((one) => filled(one, saved));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, saved)]));
}

function savedAs(name: string, saved: ReadonlyMap<string, unknown>): unknown {
  if (!saved.has(name)) throw new Error(`nothing was saved as ${name}`);
  return saved.get(name);
}

function pick(body: unknown, path: string): unknown {
  return path.split(".").reduce((at: unknown, name) => (at as Fields | undefined)?.[name], body);
}

interface Answer {
  readonly status: number;
  readonly headers: Fields;
  readonly text: string;
  readonly body: unknown;
}

interface World {
  readonly server: TwoAccountServer;
  readonly stub: ModelStub;
}

function bodyOf({ body, raw, form }: Step["request"]): { readonly body?: string | FormData } {
  if (raw !== undefined) return { body: raw };
  if (form === undefined) return body === undefined ? {} : { body: JSON.stringify(body) };
  const data = new FormData();
  for (const [name, value] of Object.entries(form)) {
    if (typeof value === "string") data.append(name, value);
    else data.append(name, new Blob([value.text]), value.filename);
  }
  return { body: data };
}

async function send({ server }: World, request: Step["request"]): Promise<Answer> {
  const key = server.keys[request.key ?? "owner"];
  const isJson = request.body !== undefined || request.raw !== undefined;
  const headers = {
    ...(key === null || key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(isJson ? { "content-type": "application/json" } : {}),
    ...request.headers,
  };
  const url = request.path.startsWith("http") ? request.path : server.url + request.path;
  const response = await fetch(url, { method: request.method, headers, ...bodyOf(request) });
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  return { status: response.status, headers: Object.fromEntries(response.headers), text, body };
}

const eventsOf = (text: string): readonly unknown[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice(6)));

function check(answer: Answer, expected: NonNullable<Step["response"]>): void {
  const { status, headers, text, body } = answer;
  expect(status, `status, with body ${text.slice(0, 2_000)}`).toBe(expected.status);
  const parts: readonly (readonly [unknown, unknown, string])[] = [
    [headers, expected.headers, "headers"],
    [body, expected.body, "body"],
    [text, expected.text, "text"],
    [expected.events === undefined ? [] : eventsOf(text), expected.events, "events"],
  ];
  for (const [value, wanted, name] of parts) {
    if (wanted !== undefined) expect(differenceOf(value, wanted, name)).toBeNull();
  }
}

async function sendUntil(world: World, request: Step["request"], wanted: unknown): Promise<Answer> {
  const end = Date.now() + UNTIL_MS;
  for (;;) {
    const answer = await send(world, request);
    const difference = differenceOf(answer.body, wanted);
    if (difference === null) return answer;
    if (Date.now() > end) throw new Error(`waited ${UNTIL_MS} ms: ${difference}`);
    await sleep(20);
  }
}

async function sendAtOnce(world: World, request: Step["request"], { times = 1, statuses = {} }: Step): Promise<Answer> {
  const answers = await Promise.all(Array.from({ length: times }, () => send(world, request)));
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  expect(counts).toEqual(statuses);
  return answers[0] as Answer;
}

function script(stub: ModelStub, { rules = [], usual = {} }: ModelRules): void {
  stub.always((body) => {
    const text = JSON.stringify(body);
    const rule = rules.find(({ when }) => text.includes(when));
    return rule ?? usual;
  });
}

async function runStep(world: World, raw: Step, saved: Map<string, unknown>, before: number): Promise<void> {
  const step = filled(raw, saved) as Step;
  if (step.model !== undefined) script(world.stub, step.model);
  if (step.afterMs !== undefined) await sleep(step.afterMs);
  const { request, until, times } = step;
  const once = async () => (until === undefined ? send(world, request) : sendUntil(world, request, until));
  const answer = times === undefined ? await once() : await sendAtOnce(world, request, step);
  if (step.response !== undefined) check(answer, step.response);
  for (const [name, path] of Object.entries(step.save ?? {})) saved.set(name, pick(answer.body, path));
  const { calls } = world.stub;
  const asked = calls.slice(before).map(({ body }) => body);
  if (step.calls !== undefined) expect(differenceOf(asked, step.calls, "calls")).toBeNull();
  if (step.mostOpen !== undefined) expect(differenceOf(world.stub.mostOpen(), step.mostOpen, "mostOpen")).toBeNull();
}

/** Runs every case of a folder against a started server; `settings` are the server's. */
export function describeConformance(dialect: string, settings: Readonly<Record<string, string>> = {}): void {
  const cases = readCases(dialect);
  let world: World;

  beforeAll(async () => {
    const stub = await startModelStub();
    const server = await startTwoAccountServer({
      OPENAI_API_KEY: "key-of-the-stub",
      OPENAI_BASE_URL: stub.url,
      WEFT_EXAMPLES: "off",
      WEFT_HTTP_ALLOW_PRIVATE: "127.0.0.0/8",
      ...settings,
    });
    world = { server, stub };
  });
  beforeEach(() => {
    world.stub.always({});
    world.stub.resetOpen();
  });
  afterAll(async () => {
    await world.server.close();
    await world.stub.close();
  });

  describe(dialect, () => {
    test.each(cases)("$file: $parsed.says", async ({ parsed }) => {
      const saved = new Map<string, unknown>([
        ["url", world.server.url],
        ["stub", world.stub.url],
      ]);
      const before = world.stub.calls.length;
      for (const step of parsed.steps) await runStep(world, step, saved, before);
    });
  });
}
