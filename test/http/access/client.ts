import type { TestServer } from "../../support/server.ts";

export type Json = Readonly<Record<string, unknown>>;

/** An HTTP answer as JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
  /** Member `data` of the body. */
  readonly data: Json;
  /** Code of the error in the body; null for none. */
  readonly code: unknown;
}

/** Sends with a key; null = without one. */
export type Send = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

/** A sender of one key to one server. */
export function sender({ url }: Pick<TestServer, "url">, key: string | null): Send {
  return async (method, path, body, more = {}) => {
    const headers: Record<string, string> = { ...more };
    if (key !== null) headers["authorization"] = `Bearer ${key}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = (text.startsWith("{") ? JSON.parse(text) : {}) as Json;
    const { data, error } = json;
    const code = typeof error === "object" && error !== null ? Reflect.get(error, "code") : null;
    return { status: response.status, headers: response.headers, body: json, data: (data ?? {}) as Json, code };
  };
}

/** Makes a key by the API and returns its text. */
export async function makeKey(send: Send, body: Json, base = "/api/v1/keys"): Promise<string> {
  const { status, data, body: answer } = await send("POST", base, body);
  if (status !== 201) throw new Error(`no key was made: ${JSON.stringify(answer)}`);
  return String(data["key"]);
}

/** Uploads a workflow. */
export async function upload(send: Send, ref: string, script: string): Promise<Answer> {
  return send("POST", "/api/v1/workflows/upload", { workflow_ref_name: ref, script });
}

/** Calls a workflow, not from the result cache. */
export async function call(send: Send, ref: string, more: Json = {}): Promise<Answer> {
  return send("POST", "/workflow/chat/completions", { model: `workflow:${ref}`, input: {}, no_cache: true, ...more });
}
