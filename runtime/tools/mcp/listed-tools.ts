import { fail } from "../../errors.ts";
import { isNestedOver } from "../../worker/nesting.ts";
import { quoted } from "../text.ts";
import type { JsonRecord, ListedTool, ToolListResult } from "../types.ts";

/** What the parser of a list needs to know. */
export interface ListRules {
  /** Server as errors name it. */
  readonly server: string;
  /** Names to look for; null = all. */
  readonly allow: ReadonlySet<string> | null;
  readonly maxTools: number;
  readonly maxListBytes: number;
}

/** Collects the tools of a server, page by page. */
export interface ToolList {
  /** Adds one page; throws LIMIT_EXCEEDED, or UPSTREAM_FAILED when it is no page. */
  add(page: JsonRecord): void;
  /** True once all tools that were asked for are there. */
  readonly complete: boolean;
  /** Throws INVALID_ARGUMENT when a tool that `allow` names is missing. */
  result(): Pick<ToolListResult, "tools" | "left_out">;
}

const MAX_NAME_CHARS = 128;
const MAX_MODEL_NAME_CHARS = 64;
const MAX_DESCRIPTION_CHARS = 4_096;
const MAX_SCHEMA_DEPTH = 100;
/** More would only repeat that the server is careless. */
const MAX_LEFT_OUT = 100;

const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A name that model services take. */
const modelName = (tool: string): string => tool.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, MAX_MODEL_NAME_CHARS);

/** Why a tool cannot be offered; null when it can. */
function flawOf(tool: JsonRecord): string | null {
  const { name, inputSchema } = tool as { readonly name?: unknown; readonly inputSchema?: unknown };
  if (typeof name !== "string" || name === "") return "it has no name";
  if (name.length > MAX_NAME_CHARS) return `its name has ${name.length} characters, over ${MAX_NAME_CHARS}`;
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(name)) return "its name has control characters";
  if (!isRecord(inputSchema) || (inputSchema["type"] ?? "object") !== "object")
    return "its schema is not that of an object";
  return null;
}

/** A JSON text; null when the value is nested too deeply to be one. */
function jsonOf(value: JsonRecord): string | null {
  try {
    const json = JSON.stringify(value);
    return isNestedOver(json, MAX_SCHEMA_DEPTH) ? null : json;
  } catch {
    return null;
  }
}

class Collected implements ToolList {
  readonly #rules: ListRules;
  readonly #tools = new Map<string, ListedTool>();
  readonly #names = new Set<string>();
  readonly #leftOut: { readonly tool: string; readonly reason: string }[] = [];
  #bytes = 0;

  constructor(rules: ListRules) {
    this.#rules = rules;
  }

  get complete(): boolean {
    const { allow } = this.#rules;
    return allow !== null && [...allow].every((name) => this.#tools.has(name));
  }

  add(page: JsonRecord): void {
    const { tools } = page as { readonly tools?: unknown };
    if (!Array.isArray(tools)) throw this.#fail("UPSTREAM_FAILED", "its list has no tools");
    for (const tool of tools) this.#addTool(isRecord(tool) ? tool : {});
  }

  result(): Pick<ToolListResult, "tools" | "left_out"> {
    const { allow } = this.#rules;
    const missing = [...(allow ?? [])].find((name) => !this.#tools.has(name));
    if (missing !== undefined) {
      const flaw = this.#leftOut.find(({ tool }) => tool === quoted(missing))?.reason ?? "the server has no such tool";
      throw this.#fail("INVALID_ARGUMENT", `allow names ${JSON.stringify(quoted(missing))}: ${flaw}`);
    }
    return { tools: [...this.#tools.values()], left_out: this.#leftOut };
  }

  #addTool(tool: JsonRecord): void {
    const { maxTools, maxListBytes, allow } = this.#rules;
    const { name, description, inputSchema } = tool as { name: string; description?: unknown; inputSchema: JsonRecord };
    if (allow !== null && !allow.has(name)) return;
    const flaw = flawOf(tool) ?? (this.#tools.has(name) ? "the server names it twice" : null);
    const json = flaw === null ? jsonOf(inputSchema) : null;
    if (json === null) {
      const reason = flaw ?? `its schema is nested over ${MAX_SCHEMA_DEPTH} levels deep`;
      if (this.#leftOut.length < MAX_LEFT_OUT) this.#leftOut.push({ tool: quoted(String(name)), reason });
      return;
    }
    const told = typeof description === "string" ? description.slice(0, MAX_DESCRIPTION_CHARS).toWellFormed() : "";
    this.#bytes += Buffer.byteLength(json) + Buffer.byteLength(told) + name.length;
    if (this.#bytes > maxListBytes)
      throw this.#over("bytes of names, descriptions and schemas", "maxToolListBytes", maxListBytes);
    if (this.#tools.size === maxTools) throw this.#over("tools", "maxTools", maxTools);
    this.#tools.set(name, { name: this.#nameFor(name), tool: name, description: told, parameters: inputSchema });
  }

  /** Two names may look the same to a model service. */
  #nameFor(tool: string): string {
    const name = modelName(tool);
    let free = name;
    for (let n = 2; this.#names.has(free); n++) {
      const suffix = `_${n}`;
      free = name.slice(0, MAX_MODEL_NAME_CHARS - suffix.length) + suffix;
    }
    this.#names.add(free);
    return free;
  }

  #over(what: string, limit: string, value: number): Error {
    const text = `it offers over ${value} ${what} (${limit}); choose some with allow`;
    return this.#fail("LIMIT_EXCEEDED", text, { limit, value });
  }

  #fail(
    code: "INVALID_ARGUMENT" | "LIMIT_EXCEEDED" | "UPSTREAM_FAILED",
    text: string,
    details: JsonRecord = {},
  ): Error {
    const { server } = this.#rules;
    return fail(code, { ...details, message: `agents: the MCP server ${server}, tools/list: ${text}`, server });
  }
}

/** An empty list. */
export function createToolList(rules: ListRules): ToolList {
  return new Collected(rules);
}
