import type { HostProfile } from "../../runtime/index.ts";
import { startTestServer, type TestServer } from "./server.ts";

type Json = Readonly<Record<string, unknown>>;

/** One hostile script and how its execution must end. */
export interface HostileScript {
  /** Body of `execute(ctx)`; a text that contains `export` is a whole file. */
  readonly script: string;
  /** Codes of the answer's error; `ok` is a completed execution. Several where machine and profile decide. */
  readonly ends: readonly string[];
  /** Output of a completed execution; not looked at when absent. */
  readonly output?: unknown;
  /** Text that the error's message must contain. */
  readonly says?: string;
  /** `timeout_seconds` of the call. */
  readonly timeoutSeconds?: number;
  readonly input?: unknown;
}

/** Scripts by what they do. */
export type HostileScripts = Readonly<Record<string, HostileScript>>;

/** One HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
  /** Code of the error, or `ok`. */
  readonly code: string;
  readonly message: string;
  /** Milliseconds from request to answer. */
  readonly tookMs: number;
}

/** A real server with short ways to be nasty to it. */
export interface HostileServer extends TestServer {
  post(path: string, body: unknown): Promise<Answer>;
  /** Uploads a script over HTTP; the answer may be a refusal. */
  upload(ref: string, script: string, more?: Json): Promise<Answer>;
  /** Calls a workflow without the result cache. */
  call(ref: string, body?: Json): Promise<Answer>;
  /** Uploads and calls a hostile script beside executions of others. */
  attack(hostile: HostileScript): Promise<Attack>;
}

/** How a hostile execution and those beside it ended. */
export interface Attack {
  readonly hostile: Answer;
  readonly bystanders: readonly { readonly output: unknown; readonly tookMs: number }[];
}

/** What every bystander answers. */
export const BYSTANDER_OUTPUT = { sum: 4950, words: ["undisturbed"] };

/** Waits, works and emits over many turns, so that it is somewhere in its middle whenever a host dies. */
const PATIENT = `let sum = 0;
  for (let i = 0; i < 100; i++) { sum += i; if (i % 10 === 0) { await ctx.sleep(10); ctx.emit("step", i); } }
  return { sum, words: ["undisturbed"] };`;
/** One turn only. */
const QUICK = `let sum = 0; for (let i = 0; i < 100; i++) sum += i; return { sum, words: ["undisturbed"] };`;

/** Small limits: what is stopped is stopped soon. */
const LIMITS = {
  WEFT_LIMIT_MEMORY_MB: "64",
  WEFT_LIMIT_TURN_MS: "200",
  WEFT_LIMIT_CPU_MS: "600",
  WEFT_LIMIT_TIMEOUT_MS: "20000",
  WEFT_LIMIT_MAX_CHUNKS: "1000",
  WEFT_LIMIT_MAX_LOG_LINES: "1000",
};

/** A file that exports `execute`. */
export const fileOf = (script: string): string =>
  script.includes("export ") ? script : `export async function execute(ctx: any) {\n${script}\n}`;

async function toAnswer(response: Response, startedAt: number): Promise<Answer> {
  const text = await response.text();
  const body = JSON.parse(text) as Json;
  const error = body["error"] as { readonly code: string; readonly message: string } | undefined;
  return {
    status: response.status,
    headers: response.headers,
    body,
    code: error?.code ?? "ok",
    message: error?.message ?? "",
    tookMs: performance.now() - startedAt,
  };
}

/** Starts it with small limits and its bystanders uploaded; `environment` adds or replaces settings. */
export async function startHostileServer(
  profile: HostProfile,
  environment: Readonly<Record<string, string>> = {},
): Promise<HostileServer> {
  const server = await startTestServer({ WEFT_HOST_PROFILE: profile, ...LIMITS, ...environment });
  let count = 0;
  const post: HostileServer["post"] = async (path, body) => {
    const startedAt = performance.now();
    const response = await fetch(`${server.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.apiKey}`, "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return toAnswer(response, startedAt);
  };
  const upload: HostileServer["upload"] = (ref, script, more = {}) =>
    post("/api/v1/workflows/upload", { workflow_ref_name: ref, script: fileOf(script), ...more });
  const call: HostileServer["call"] = (ref, body = {}) =>
    post("/workflow/chat/completions", { model: `workflow:${ref}`, input: {}, cache: "no-store", ...body });
  const bystander = async (ref: string) => {
    const { body, tookMs } = await call(ref);
    return { output: body["output"] ?? body, tookMs };
  };
  const attack: HostileServer["attack"] = async ({ script, input = {}, timeoutSeconds }) => {
    const ref = `hostile-${count++}`;
    const patient = bystander("patient");
    let hostile = await upload(ref, script);
    const quick = bystander("quick");
    if (hostile.code === "ok") {
      hostile = await call(ref, {
        input,
        ...(timeoutSeconds === undefined ? {} : { timeout_seconds: timeoutSeconds }),
      });
    }
    return { hostile, bystanders: [await patient, await quick, await bystander("quick")] };
  };
  await upload("patient", PATIENT);
  await upload("quick", QUICK);
  return { ...server, post, upload, call, attack };
}
