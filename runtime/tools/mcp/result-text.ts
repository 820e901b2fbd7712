import { cutText } from "../text.ts";
import type { ToolCallResult } from "../types.ts";

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown, fallback: string): string => (typeof value === "string" ? value : fallback);

/** Blocks after these are not looked at: one text is made of all. */
const MAX_BLOCKS = 1_000;

const sizeOf = (base64: unknown): string => `${Math.floor((textOf(base64, "").length * 3) / 4)} bytes`;

function resourceText(resource: unknown): string {
  if (!isFields(resource)) return "[resource]";
  const uri = textOf(resource["uri"], "without a URI");
  const { text, blob, mimeType } = resource as { readonly text?: unknown; readonly blob?: unknown; mimeType?: unknown };
  if (typeof text === "string") return `[resource ${uri}]\n${text}`;
  return `[resource ${uri}: ${textOf(mimeType, "unknown type")}, ${sizeOf(blob)}]`;
}

function blockText(block: unknown): string {
  if (!isFields(block)) return "[unknown content]";
  const type = textOf(block["type"], "unknown");
  switch (type) {
    case "text":
      return textOf(block["text"], "");
    case "image":
    case "audio":
      return `[${type}: ${textOf(block["mimeType"], "unknown type")}, ${sizeOf(block["data"])}]`;
    case "resource":
      return resourceText(block["resource"]);
    case "resource_link":
      return `[link to ${textOf(block["uri"], "nothing")}: ${textOf(block["title"] ?? block["name"], "untitled")}]`;
    default:
      return `[content of the type ${JSON.stringify(type.slice(0, 100))}]`;
  }
}

function structuredText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    // Only depth can make JSON that was parsed unwritable.
    return "[structured content that is nested too deeply]";
  }
}

/** What a server answered to `tools/call`, as text for a model; structured content stands in where there is no text. */
export function toResultText(result: Fields, maxTextBytes: number): ToolCallResult {
  const blocks = Array.isArray(result["content"]) ? result["content"] : [];
  const texts = blocks.slice(0, MAX_BLOCKS).map(blockText);
  if (blocks.length > MAX_BLOCKS) texts.push(`[${blocks.length - MAX_BLOCKS} more parts]`);
  const hasText = blocks.some((block) => isFields(block) && block["type"] === "text");
  if (!hasText && result["structuredContent"] !== undefined) texts.push(structuredText(result["structuredContent"]));
  const content = cutText(texts.join("\n"), maxTextBytes);
  return { content: content === "" ? "[no content]" : content, is_error: result["isError"] === true };
}
