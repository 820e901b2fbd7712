import { startTestServer, type TestServer } from "../support/server.ts";
import { within } from "../support/until.ts";

type Json = Readonly<Record<string, unknown>>;

/** A real server and short ways to use it over HTTP. */
export interface Service extends TestServer {
  /** One request with the owner's key; `init.headers` are added. */
  send(path: string, init?: RequestInit): Promise<Response>;
  /** POSTs JSON. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Invokes a workflow. */
  invoke(ref: string, body?: Json, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Deploys a script of one file, past HTTP. */
  deploy(ref: string, text: string): Promise<void>;
}

/** Starts the server of one test file. */
export async function startService(environment: Readonly<Record<string, string>> = {}): Promise<Service> {
  const server = await startTestServer(environment);
  const send: Service["send"] = (path, init = {}) =>
    fetch(`${server.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${server.apiKey}`, ...(init.headers as Readonly<Record<string, string>>) },
    });
  const post: Service["post"] = (path, body, headers = {}) =>
    send(path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
  return {
    ...server,
    send,
    post,
    invoke: (ref, body = { input: {} }, headers) =>
      post("/workflow/chat/completions", { model: `workflow:${ref}`, ...body }, headers),
    async deploy(ref, text) {
      await server.workflows.deploy({
        accountId: server.accountId,
        ref,
        upload: { files: [{ path: `${ref}.ts`, text }] },
        settings: {},
        accessories: [],
        publish: true,
        bump: "minor",
        notes: "",
      });
    },
  };
}

/** The `data:` payloads of an event stream, `[DONE]` included. */
export function payloadsOf(text: string): readonly string[] {
  return text
    .split("\n\n")
    .filter((event) => event.startsWith("data: "))
    .map((event) => event.slice("data: ".length));
}

/** The parsed frames of an event stream, `[DONE]` left out. */
export function framesOf(text: string): readonly Json[] {
  return payloadsOf(text)
    .filter((payload) => payload !== "[DONE]")
    .map((payload) => JSON.parse(payload) as Json);
}

/** Reads an answer while it still comes: everything up to a text, or up to its end. */
export function readerOf(response: Response): {
  /** All that came so far, `wanted` included; throws when the answer ends without it. */
  to(wanted: string): Promise<string>;
  /** The whole answer. */
  toEnd(): Promise<string>;
} {
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const more = async (): Promise<boolean> => {
    const { done, value } = await reader.read();
    text += value ?? "";
    return !done;
  };
  const reading = async (isEnough: () => boolean) => {
    while (!isEnough() && (await more()));
  };
  return {
    async to(wanted) {
      const isThere = () => text.includes(wanted);
      await within(reading(isThere), () => `${JSON.stringify(wanted)} in ${JSON.stringify(text)}`);
      if (!isThere()) throw new Error(`the answer ended without ${JSON.stringify(wanted)}: ${text}`);
      return text;
    },
    async toEnd() {
      const nothing = () => false;
      await within(reading(nothing), () => `the end of ${JSON.stringify(text)}`);
      return text;
    },
  };
}
