import type { OpCall } from "../capabilities/capability.ts";
import { type Deadline, startDeadline } from "../egress/deadline.ts";
import { hideInText } from "../egress/fill-handles.ts";
import { shownUrl } from "../egress/target.ts";
import { fail } from "../errors.ts";
import { createToolList, type ToolList } from "./mcp/listed-tools.ts";
import { toResultText } from "./mcp/result-text.ts";
import type { McpTarget } from "./mcp/target.ts";
import { createFiller, type Filler, fillHeaders, UnfitArgument } from "./template.ts";
import type { JsonRecord, McpServer, ToolCallResult, ToolListResult } from "./types.ts";

const MAX_PAGES = 100;

function headersOf({ url, headers = {} }: McpServer, filler: Filler): Readonly<Record<string, string>> {
  try {
    return fillHeaders(headers, filler);
  } catch (error) {
    if (!(error instanceof UnfitArgument)) throw error;
    const message = `agents: the MCP server ${shownUrl(new URL(url))}: headers: a secret or a variable has a line break or a character outside Latin-1`;
    throw fail("INVALID_ARGUMENT", { message, field: "headers" });
  }
}

function targetOf(server: McpServer, { job, env }: OpCall["scope"]): McpTarget {
  const filler = createFiller({ args: {}, secrets: job.secrets, env }, job.limits.maxArgBytes);
  return {
    accountId: job.accountId,
    url: server.url,
    headers: headersOf(server, filler),
    allow: job.httpAllow,
    handles: job.handles ?? [],
    maxAnswerBytes: job.limits.maxToolAnswerBytes,
  };
}

interface Asking {
  /** Asks the server; what it refuses is an error here. */
  ask(method: string, params: JsonRecord): ReturnType<OpCall["services"]["mcp"]["ask"]>;
  /** Server as errors name it. */
  readonly server: string;
}

/** Values of handles that a server repeats become texts again, before anything of its answer is cut off. */
function hideIn<T>(answer: T, handles: McpTarget["handles"]): T {
  if (handles.length === 0) return answer;
  const hidden = (_name: string, value: unknown) => (typeof value === "string" ? hideInText(value, handles) : value);
  return JSON.parse(JSON.stringify(answer), hidden) as T;
}

/** Runs `work` within the time that a tool has. */
async function within<T>(server: McpServer, call: OpCall, work: (asking: Asking) => Promise<T>): Promise<T> {
  const target = targetOf(server, call.scope);
  const shown = shownUrl(new URL(target.url));
  const { toolTimeoutMs } = call.scope.job.limits;
  let method = "initialize";
  const deadline: Deadline = startDeadline(call.signal, toolTimeoutMs, () =>
    fail("UPSTREAM_TIMEOUT", {
      message: `agents: the MCP server ${shown}, ${method}: no answer within ${toolTimeoutMs} ms (toolTimeoutMs)`,
      server: shown,
      limit: "toolTimeoutMs",
      value: toolTimeoutMs,
    }),
  );
  try {
    return await work({
      server: shown,
      async ask(asked, params) {
        const sent = () => {
          method = asked;
        };
        const request = { method: asked, params, sent, hold: call.hold };
        return hideIn(await call.services.mcp.ask(target, request, deadline.signal), target.handles);
      },
    });
  } finally {
    deadline.clear();
  }
}

/** A part of names made of the server's host. */
const labelOf = (url: string): string => new URL(url).hostname.replaceAll(/[^A-Za-z0-9]+/g, "_").slice(0, 32);

/** Adds one page to the list; the cursor of the next one, or null at the end. */
async function addPage(list: ToolList, cursor: string | null, { ask, server }: Asking): Promise<string | null> {
  const answer = await ask("tools/list", cursor === null ? {} : { cursor });
  if (answer.kind === "refusal") {
    const message = `agents: the MCP server ${server}, tools/list: it refused: ${answer.text}`;
    throw fail("UPSTREAM_FAILED", { message, server });
  }
  list.add(answer.result);
  const { nextCursor } = answer.result as { readonly nextCursor?: unknown };
  return typeof nextCursor === "string" && nextCursor !== "" && !list.complete ? nextCursor : null;
}

async function addPages(list: ToolList, asking: Asking): Promise<void> {
  let cursor = await addPage(list, null, asking);
  for (let page = 2; cursor !== null; page++) {
    if (page > MAX_PAGES) {
      const message = `agents: the MCP server ${asking.server}, tools/list: over ${MAX_PAGES} pages (maxPages)`;
      throw fail("LIMIT_EXCEEDED", { message, server: asking.server, limit: "maxPages", value: MAX_PAGES });
    }
    cursor = await addPage(list, cursor, asking);
  }
}

/** The tools that a server offers now; throws LIMIT_EXCEEDED, CAPABILITY_DENIED, INVALID_ARGUMENT, UPSTREAM_FAILED, UPSTREAM_TIMEOUT, each naming the server. */
export function listMcpTools(
  server: McpServer,
  allow: readonly string[] | undefined,
  call: OpCall,
): Promise<ToolListResult> {
  const { maxTools, maxToolListBytes: maxListBytes } = call.scope.job.limits;
  return within(server, call, async (asking) => {
    const names = allow === undefined ? null : new Set(allow);
    const list = createToolList({ server: asking.server, allow: names, maxTools, maxListBytes });
    await addPages(list, asking);
    return { ...list.result(), label: labelOf(server.url) };
  });
}

/** Calls a tool of a server; what it refuses is an answer. Throws what {@link listMcpTools} throws. */
export function callMcpTool(server: McpServer, name: string, args: JsonRecord, call: OpCall): Promise<ToolCallResult> {
  const { maxToolTextBytes } = call.scope.job.limits;
  return within(server, call, async ({ ask }) => {
    const answer = await ask("tools/call", { name, arguments: args });
    return answer.kind === "refusal"
      ? { content: `Error: ${answer.text}`, is_error: true }
      : toResultText(answer.result, maxToolTextBytes);
  });
}
