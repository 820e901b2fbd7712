import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One function call the stub should answer with. */
export interface StubToolCall {
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

/** How the stub answers one request; everything has a default. */
export interface StubAnswer {
  /** Default 200; other statuses answer an OpenAI error body. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answer text; default `stub: <last user text>`. Streams send it word by word. */
  readonly content?: string;
  readonly toolCalls?: readonly StubToolCall[];
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  /** Before the headers. */
  readonly delayMs?: number;
  /** Between the chunks of a stream. */
  readonly chunkDelayMs?: number;
  /** Message of an error body. */
  readonly error?: string;
  /** Ends the connection: before any byte, after `raw`, or after that many chunks of a stream. */
  readonly cut?: "before" | "after" | number;
  /** Sent as it is instead of any of the above, with `content-type` from `headers`. */
  readonly raw?: string;
}

/** One request the stub received. */
export interface StubCall {
  /** Hex SHA-256 of the body: equal requests have equal fingerprints. */
  readonly fingerprint: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** False until the whole answer was written. */
  answered: boolean;
  /** True once the client has gone before the end of its answer. */
  abandoned: boolean;
}

/** A counting OpenAI-compatible upstream on loopback. */
export interface ModelStub {
  /** Base URL, with `/v1`. */
  readonly url: string;
  readonly calls: readonly StubCall[];
  /** Most requests that were open at once since the last reset. */
  mostOpen(): number;
  resetOpen(): void;
  /** Connections opened so far. */
  connections(): number;
  /** Answers of the next requests, in order; after them the default answer. */
  script(...answers: readonly StubAnswer[]): void;
  /** Answer of every request that has no scripted one; a function decides by the request's body. */
  always(answer: StubAnswer | ((body: StubCall["body"]) => StubAnswer)): void;
  close(): Promise<void>;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function readJson(request: IncomingMessage): Promise<{ readonly text: string; readonly json: StubCall["body"] }> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  const text = Buffer.concat(chunks).toString("utf8");
  return { text, json: text === "" ? {} : (JSON.parse(text) as StubCall["body"]) };
}

function lastUserText(body: StubCall["body"]): string {
  const messages = (Array.isArray(body["messages"]) ? body["messages"] : []) as { role?: string; content?: unknown }[];
  return String(messages.findLast((message) => message.role === "user")?.content ?? "");
}

interface Told {
  readonly id: string;
  readonly body: StubCall["body"];
  readonly answer: StubAnswer;
}

const contentOf = ({ answer, body }: Told) => answer.content ?? `stub: ${lastUserText(body)}`;

const toolCallsOf = ({ answer, id }: Told) =>
  (answer.toolCalls ?? []).map((call, index) => ({ id: `call_${id}_${index}`, type: "function", function: call }));

const finishOf = ({ answer }: Told) => (answer.toolCalls === undefined ? "stop" : "tool_calls");

function usageOf({ answer }: Told) {
  const promptTokens = answer.promptTokens ?? 10;
  const completionTokens = answer.completionTokens ?? 5;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

const headOf = ({ id, body }: Told, object: string) => ({
  id: `chatcmpl-stub-${id}`,
  object,
  created: 1_700_000_000,
  model: body["model"],
});

function completionOf(told: Told): object {
  const calls = toolCallsOf(told);
  const message =
    calls.length > 0
      ? { role: "assistant", content: null, tool_calls: calls }
      : { role: "assistant", content: contentOf(told) };
  return {
    ...headOf(told, "chat.completion"),
    choices: [{ index: 0, message, finish_reason: finishOf(told) }],
    usage: usageOf(told),
  };
}

function chunksOf(told: Told): readonly object[] {
  const frame = (delta: object, finish: string | null = null) => ({
    ...headOf(told, "chat.completion.chunk"),
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const calls = toolCallsOf(told).flatMap((call, index) => [
    frame({ tool_calls: [{ index, ...call, function: { name: call.function.name, arguments: "" } }] }),
    ...(call.function.arguments.match(/.{1,4}/gs) ?? []).map((piece) =>
      frame({ tool_calls: [{ index, function: { arguments: piece } }] }),
    ),
  ]);
  const words = calls.length > 0 ? [] : (contentOf(told).match(/\s*\S+\s*$|\s*\S+/g) ?? []);
  const options = told.body["stream_options"] as { include_usage?: boolean } | undefined;
  const usage = { ...headOf(told, "chat.completion.chunk"), choices: [], usage: usageOf(told) };
  return [
    frame({ role: "assistant", content: calls.length > 0 ? null : "" }),
    ...words.map((content) => frame({ content })),
    ...calls,
    frame({}, finishOf(told)),
    ...(options?.include_usage === true ? [usage] : []),
  ];
}

async function writeStream(response: ServerResponse, told: Told): Promise<boolean> {
  response.writeHead(200, { "content-type": "text/event-stream", ...told.answer.headers });
  response.flushHeaders();
  for (const [index, chunk] of chunksOf(told).entries()) {
    if (index === told.answer.cut) {
      // What was written must arrive before the connection ends.
      await sleep(20);
      response.destroy();
      return false;
    }
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    if (told.answer.chunkDelayMs !== undefined) await sleep(told.answer.chunkDelayMs);
  }
  response.end("data: [DONE]\n\n");
  return true;
}

async function write(response: ServerResponse, told: Told): Promise<boolean> {
  const { answer, body } = told;
  if (answer.delayMs !== undefined) await sleep(answer.delayMs);
  if (answer.cut === "before") {
    response.destroy();
    return false;
  }
  const status = answer.status ?? 200;
  const headers = { "content-type": "application/json", ...answer.headers };
  if (answer.cut === "after") {
    response.writeHead(status, headers).write(answer.raw);
    await sleep(20);
    response.destroy();
    return false;
  }
  if (answer.raw !== undefined) response.writeHead(status, headers).end(answer.raw);
  else if (status >= 300) {
    const error = { message: answer.error ?? `stub error ${status}`, type: "stub_error", code: "stub" };
    response.writeHead(status, headers).end(JSON.stringify({ error }));
  } else if (body["stream"] === true) return writeStream(response, told);
  else response.writeHead(status, headers).end(JSON.stringify(completionOf(told)));
  return true;
}

function countByFingerprint(calls: readonly StubCall[]): object {
  const counts: Record<string, { count: number; answered: number; body: StubCall["body"] }> = {};
  for (const { fingerprint, answered, body } of calls) {
    const entry = counts[fingerprint] ?? { count: 0, answered: 0, body };
    counts[fingerprint] = { count: entry.count + 1, answered: entry.answered + (answered ? 1 : 0), body };
  }
  return { total: calls.length, byFingerprint: counts };
}

/** Starts a stub on a free port. `GET /calls` answers `{ total, byFingerprint: { [hex]: { count, answered, body } } }`. */
export async function startModelStub(): Promise<ModelStub> {
  const calls: StubCall[] = [];
  const queue: StubAnswer[] = [];
  let connections = 0;
  let open = 0;
  let mostOpen = 0;
  let fallback: (body: StubCall["body"]) => StubAnswer = () => ({});
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === "GET") {
      response.setHeader("content-type", "application/json").end(JSON.stringify(countByFingerprint(calls)));
      return;
    }
    const { text, json } = await readJson(request);
    const fingerprint = createHash("sha256").update(text).digest("hex");
    const call = {
      fingerprint,
      path: request.url ?? "",
      headers: request.headers,
      body: json,
      answered: false,
      abandoned: false,
    };
    response.on("close", () => {
      call.abandoned = !response.writableEnded;
    });
    calls.push(call);
    mostOpen = Math.max(mostOpen, ++open);
    response.on("close", () => open--);
    call.answered = await write(response, {
      id: String(calls.length),
      body: json,
      answer: queue.shift() ?? fallback(json),
    });
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    connections: () => connections,
    mostOpen: () => mostOpen,
    resetOpen() {
      mostOpen = open;
    },
    script: (...answers) => void queue.push(...answers),
    always(answer) {
      fallback = typeof answer === "function" ? answer : () => answer;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
