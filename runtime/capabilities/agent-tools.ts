import { callHttpTool } from "../tools/http-tool.ts";
import { callMcpTool, listMcpTools } from "../tools/mcp-tool.ts";
import { parseMcpServer, parseToolRequest } from "../tools/parse-tool.ts";
import type { ToolCallArgs, ToolListArgs } from "../tools/types.ts";
import { invalidIn, isFields, shown } from "./arguments.ts";
import { defineOp, type Op } from "./capability.ts";

const MAX_NAME_CHARS = 128;

const invalid = invalidIn("agents");

function nameOf(value: unknown, field: string): string {
  if (typeof value === "string" && value !== "" && value.length <= MAX_NAME_CHARS) return value;
  throw invalid(field, `must be a name of up to ${MAX_NAME_CHARS} characters, got ${shown(value)}`);
}

function parseList(args: unknown): ToolListArgs {
  if (!isFields(args)) throw invalid("the argument", `must be an object, got ${shown(args)}`);
  const { allow } = args as { readonly allow?: unknown };
  const server = parseMcpServer(args["server"]);
  if (allow === undefined) return { server };
  if (!Array.isArray(allow)) throw invalid("allow", `must be a list of names, got ${shown(allow)}`);
  return { server, allow: allow.map((name, i) => nameOf(name, `allow[${i}]`)) };
}

function parseCall(args: unknown): ToolCallArgs {
  if (!isFields(args)) throw invalid("the argument", `must be an object, got ${shown(args)}`);
  const { tool, arguments: given = {} } = args as { readonly tool?: unknown; readonly arguments?: unknown };
  if (!isFields(given)) throw invalid("arguments", `must be an object, got ${shown(given)}`);
  if (!isFields(tool)) throw invalid("tool", `must be an object, got ${shown(tool)}`);
  const name = nameOf(tool["name"], "tool.name");
  switch (tool["type"]) {
    case "http":
      return {
        tool: { type: "http", name, request: parseToolRequest(tool["request"], "tool.request") },
        arguments: given,
      };
    case "mcp":
      return { tool: { type: "mcp", name, server: parseMcpServer(tool["server"], "tool.server") }, arguments: given };
    default:
      throw invalid("tool.type", `must be "http" or "mcp", got ${shown(tool["type"])}`);
  }
}

/** The ops of tools that leave the server, a part of ctx.agents. Their credentials are templates, filled in the worker; answers may hold secret values. */
export const AGENT_TOOL_OPS: Readonly<Record<string, Op>> = {
  "agents.tools": defineOp<ToolListArgs>({
    effect: "outside",
    sends: true,
    parse: parseList,
    run: async ({ server, allow }, call) => JSON.stringify(await listMcpTools(server, allow, call)),
  }),
  "agents.tool": defineOp<ToolCallArgs>({
    effect: "outside",
    sends: true,
    parse: parseCall,
    async run({ tool, arguments: args }, call) {
      const result =
        tool.type === "http"
          ? await callHttpTool(tool, args, call)
          : await callMcpTool(tool.server, tool.name, args, call);
      return JSON.stringify(result);
    },
  }),
};
