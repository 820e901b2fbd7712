import { StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpError } from "@modelcontextprotocol/sdk/types.js";
import { type Details, type ErrorCode, fail, WorkflowError } from "../../errors.ts";
import { quoted } from "../text.ts";

/** What went wrong, without naming the server: the code, a phrase and facts. */
function explain(error: unknown): readonly [code: ErrorCode, text: string, details: Details] {
  if (error instanceof WorkflowError) return [error.code, error.message.replace(/^http: /, ""), error.details];
  if (error instanceof StreamableHTTPError) {
    const status = error.code ?? -1;
    const text = quoted(error.message.replace(/^Streamable HTTP error: (Error POSTing to endpoint: )?/, ""));
    return status > 0
      ? ["UPSTREAM_FAILED", `it answered with the status ${status}: ${text}`, { status }]
      : ["UPSTREAM_FAILED", text, {}];
  }
  if (error instanceof McpError)
    return ["UPSTREAM_FAILED", `it refused: ${quoted(error.message)}`, { rpc_code: error.code }];
  if (error instanceof SyntaxError) return ["UPSTREAM_FAILED", "its answer is not valid JSON", {}];
  const { name, message } = error as { readonly name?: unknown; readonly message?: unknown };
  if (String(name).endsWith("ZodError")) return ["UPSTREAM_FAILED", "its answer is not what MCP asks for", {}];
  return ["UPSTREAM_FAILED", quoted(String(message ?? error)), {}];
}

/** Any failure of a session as an error that names the server and what was asked of it. */
export function toMcpError(error: unknown, server: string, method: string): WorkflowError {
  const [code, text, details] = explain(error);
  return fail(code, { ...details, message: `agents: the MCP server ${server}, ${method}: ${text}`, server }, error);
}

/** True when the server no longer knows the session: nothing was done, and a new one may be opened. */
export function isSessionGone(error: unknown): boolean {
  return error instanceof StreamableHTTPError && (error.code === 404 || error.code === 400);
}

/** True when the server itself answered the request with an error, which is an answer like others. */
export function isRefusal(error: unknown): error is McpError {
  return error instanceof McpError;
}
