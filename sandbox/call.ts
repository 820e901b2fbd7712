import { callSite, makeOpError, type OpError, reasonOf } from "./errors.ts";
import { postOp } from "./execution.ts";
import { NativePromise, parse, stringify } from "./primordials.ts";

/** The JSON text of an op's arguments; throws INVALID_ARGUMENT for what JSON cannot carry. */
export function argumentText(op: string, args: unknown): string {
  try {
    return stringify(args === undefined ? null : args) ?? "null";
  } catch (cause) {
    throw makeOpError(
      op,
      { code: "INVALID_ARGUMENT", message: `${op}: arguments cannot be written as JSON (${reasonOf(cause)})` },
      null,
    );
  }
}

/** Posts an op and resolves to the raw JSON text of its result. `onPart` gets the parts of a streaming op. */
export function callText(op: string, args: unknown, onPart?: (json: string) => void): Promise<string> {
  const site = callSite();
  return new NativePromise<string>((resolve, reject) => {
    postOp(op, argumentText(op, args), {
      part: onPart ?? (() => undefined),
      settle(kind, payload) {
        if (kind === "result") resolve(payload);
        else reject(makeOpError(op, parse(payload) as OpError, site));
      },
    });
  });
}

/** Posts an op and resolves to its parsed result. */
export async function call(op: string, args: unknown): Promise<unknown> {
  return parse(await callText(op, args));
}
