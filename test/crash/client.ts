import { TEST_KEY } from "../support/server.ts";

const headers = { authorization: `Bearer ${TEST_KEY}`, "content-type": "application/json" };

/** Sends one JSON request; rejects when the server goes away meanwhile. */
export async function send(url: string, body: unknown): Promise<{ readonly status: number; readonly json: unknown }> {
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, json: await response.json() };
}

/** Uploads scripts by ref. */
export async function upload(url: string, scripts: Readonly<Record<string, string>>): Promise<void> {
  for (const [workflow_ref_name, script] of Object.entries(scripts)) {
    const { status, json } = await send(`${url}/api/v1/workflows/upload`, { workflow_ref_name, script });
    if (status !== 200) throw new Error(`upload of ${workflow_ref_name}: ${JSON.stringify(json)}`);
  }
}

/** Calls a workflow and returns the status and JSON body. */
export const call = (url: string, ref: string, body: object) =>
  send(`${url}/workflow/chat/completions`, { model: `workflow:${ref}`, ...body });

/** Calls a workflow with `stream: true`; resolves to the frames once the stream has ended. */
export async function callStream(url: string, ref: string, body: object): Promise<readonly Record<string, unknown>[]> {
  const response = await fetch(`${url}/workflow/chat/completions`, {
    method: "POST",
    headers,
    body: JSON.stringify({ model: `workflow:${ref}`, stream: true, ...body }),
  });
  const lines = (await response.text()).split("\n").filter((line) => line.startsWith("data: {"));
  return lines.map((line) => JSON.parse(line.slice("data: ".length)) as Record<string, unknown>);
}

/** The UUID of an execution by the ids of the API: `exec_` or `chatcmpl-` and its 32 digits. */
export function uuidOf(id: unknown): string {
  const [, digits = ""] = /_?([0-9a-f]{32})$/.exec(String(id)) ?? [];
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The run with this id as the API shows it. */
export async function readRun(url: string, id: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/api/v1/runs/${id}`, { headers });
  const { data } = (await response.json()) as { readonly data: Record<string, unknown> };
  return data;
}
