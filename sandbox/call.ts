import { callSite, makeOpError, type OpError, reasonOf } from "./errors.ts";
import { postOp } from "./execution.ts";
import { NativePromise, parse, stringify } from "./primordials.ts";

/** The JSON text of an op's arguments; throws INVALID_ARGUMENT for what JSON cannot carry. */
function argumentText(op: string, args: unknown): string {
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

/** An op under way: its position, for giving it up, and the raw JSON text of its result. */
export interface OpenCall {
  readonly pos: number;
  readonly result: Promise<string>;
}

/** Posts an op; `onPart` gets the parts of a streaming op. An op that cannot be posted has the position -1. */
export function openCall(op: string, args: unknown, onPart?: (json: string) => void): OpenCall {
  const site = callSite();
  let pos = -1;
  const result = new NativePromise<string>((resolve, reject) => {
    pos = postOp(op, argumentText(op, args), {
      part: onPart ?? (() => undefined),
      settle(kind, payload) {
        if (kind === "result") resolve(payload);
        else reject(makeOpError(op, parse(payload) as OpError, site));
      },
    });
  });
  return { pos, result };
}

/** Posts an op and resolves to the raw JSON text of its result. */
export function callText(op: string, args: unknown): Promise<string> {
  return openCall(op, args).result;
}

/** Posts an op and resolves to its parsed result. */
export async function call(op: string, args: unknown): Promise<unknown> {
  return parse(await callText(op, args));
}
