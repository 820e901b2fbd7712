import { fail, type WorkflowError } from "../errors.ts";
import { hasArguments } from "./template.ts";
import type { HttpTool, JsonRecord, McpServer } from "./types.ts";
import { checkUrlTemplate } from "./url-template.ts";

const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const shown = (value: unknown): string => (JSON.stringify(value) ?? "undefined").slice(0, 100);

const invalid = (field: string, why: string): WorkflowError =>
  fail("INVALID_ARGUMENT", { message: `agents: ${field} ${why}`, field });

function texts(value: unknown, field: string): Readonly<Record<string, string>> {
  if (!isRecord(value)) throw invalid(field, `must be an object of texts, got ${shown(value)}`);
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== "string") throw invalid(`${field}.${name}`, `must be a string, got ${shown(text)}`);
  }
  return value as Readonly<Record<string, string>>;
}

function known(value: JsonRecord, fields: readonly string[], field: string): void {
  const unknown = Object.keys(value).find((name) => !fields.includes(name));
  if (unknown !== undefined) throw invalid(`${field}.${unknown}`.slice(0, 200), "is not a known field");
}

/** The request of an HTTP tool; throws INVALID_ARGUMENT that names the field below `field`. */
export function parseToolRequest(value: unknown, field = "request"): HttpTool["request"] {
  if (!isRecord(value)) throw invalid(field, `must be an object with a url, got ${shown(value)}`);
  known(value, ["method", "url", "query", "headers", "body"], field);
  const { method, url, query, headers, body } = value as { readonly [name: string]: unknown };
  if (typeof url !== "string") throw invalid(`${field}.url`, `must be a string, got ${shown(url)}`);
  checkUrlTemplate(url, `${field}.url`);
  if (method !== undefined && (typeof method !== "string" || !/^(get|head|post|put|patch|delete)$/i.test(method))) {
    throw invalid(`${field}.method`, `must be GET, HEAD, POST, PUT, PATCH or DELETE, got ${shown(method)}`);
  }
  return {
    url,
    ...(method === undefined ? {} : { method }),
    ...(query === undefined ? {} : { query: texts(query, `${field}.query`) }),
    ...(headers === undefined ? {} : { headers: texts(headers, `${field}.headers`) }),
    ...(body === undefined ? {} : { body }),
  };
}

/** Fields with which other programs name a server that is a program of its own. */
const STDIO_FIELDS = ["command", "args", "cwd"];

/** An MCP server; throws INVALID_ARGUMENT that names the field below `field`. A server that would be a program on this machine is refused. */
export function parseMcpServer(value: unknown, field = "server"): McpServer {
  if (!isRecord(value)) throw invalid(field, `must be an object with a url, got ${shown(value)}`);
  const program = STDIO_FIELDS.find((name) => name in value);
  if (program !== undefined || value["type"] === "stdio") {
    throw invalid(
      program === undefined ? `${field}.type` : `${field}.${program}`,
      "names a stdio server, which would run a program on this machine; only streamable HTTP is possible: give a url",
    );
  }
  known(value, ["url", "headers"], field);
  const { url, headers } = value as { readonly [name: string]: unknown };
  if (typeof url !== "string" || !/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw invalid(`${field}.url`, `must be the http or https URL of a streamable HTTP server, got ${shown(url)}`);
  }
  if (headers === undefined) return { url };
  const templates = texts(headers, `${field}.headers`);
  const filled = Object.entries(templates).find(([, template]) => hasArguments(template));
  if (filled !== undefined) {
    throw invalid(`${field}.headers.${filled[0]}`, "may hold {{secrets.NAME}} and {{env.NAME}} only");
  }
  return { url, headers: templates };
}
