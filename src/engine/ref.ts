import { fail } from "../../runtime/index.ts";

const REF = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** Words that are path segments of the HTTP APIs, where a ref would stand. */
const RESERVED = new Set([
  "create",
  "default-script",
  "execute",
  "executions",
  "from-template",
  "graph",
  "presigned-url",
  "run",
  "runs",
  "templates",
  "upload",
  "v1",
  "validate",
]);

/** Checks the public name of a workflow; throws INVALID_REQUEST naming rule and value. */
export function checkRef(ref: string): void {
  const shown = JSON.stringify(ref.slice(0, 80));
  if (!REF.test(ref)) {
    const message = `ref: must be 1 to 64 letters, digits, "_", "." or "-", beginning with a letter or digit, got ${shown}`;
    throw fail("INVALID_REQUEST", { message, param: "ref" });
  }
  const isNumber = /^\d+$/.test(ref);
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(ref);
  if (isNumber || isUuid || RESERVED.has(ref)) {
    const why = isNumber ? "a number" : isUuid ? "a UUID" : "reserved";
    throw fail("INVALID_REQUEST", { message: `ref: ${shown} is ${why}; choose another name`, param: "ref" });
  }
}
