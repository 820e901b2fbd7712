import { current, send } from "./execution.ts";
import { NativeError, slice, stringify, text } from "./primordials.ts";
import { POST } from "./wire.ts";

/** How grave a log line is. */
export type Level = "debug" | "info" | "warn" | "error";

/** Posts one log line of the current execution, as far as its limits allow. */
export function line(level: Level, message: string, fields: string): void {
  const execution = current();
  const { maxLogLines, maxLogLineBytes } = execution.limits;
  const index = execution.logs;
  if (index >= maxLogLines) return;
  execution.logs++;
  if (index === maxLogLines - 1) {
    send(POST.log, index, "warn", stringify(`log: more than ${maxLogLines} lines; the rest is dropped`));
    return;
  }
  const clipped = message.length > maxLogLineBytes ? `${slice(message, 0, maxLogLineBytes)}… (cut)` : message;
  send(POST.log, index, level, stringify(clipped), fields.length > maxLogLineBytes ? "" : fields);
}

/** What a value looks like in a log line. */
export function show(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof NativeError) return text(value.stack ?? value);
  try {
    if (typeof value === "object" && value !== null) return stringify(value) ?? text(value);
    return text(value);
  } catch {
    return `[${typeof value}]`;
  }
}

function fieldsText(fields: unknown): string {
  if (fields === undefined || fields === null) return "";
  try {
    return stringify(fields) ?? "";
  } catch {
    return stringify(show(fields));
  }
}

/** ctx.log: a function with a method per level. */
export function createLog(): object {
  const at = (level: Level) => (message: unknown, fields?: unknown) => line(level, show(message), fieldsText(fields));
  return Object.assign(at("info"), { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") });
}
