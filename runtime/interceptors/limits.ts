import { fail, toRecord } from "../errors.ts";
import type { Completion, Interceptor, OpRequest } from "./interceptor.ts";

/** Accessories and files have their own, larger limits at upload; they are read piece by piece. */
const OWN_LIMIT = new Set(["accessories.read", "files.read"]);

function overSize(request: OpRequest, payload: string): Completion | null {
  const { maxResultBytes } = request.scope.job.limits;
  if (OWN_LIMIT.has(request.name) || payload.length <= maxResultBytes / 3) return null;
  const bytes = Buffer.byteLength(payload);
  if (bytes <= maxResultBytes) return null;
  const message = `${request.name}: result of ${bytes} bytes, over ${maxResultBytes} (maxResultBytes)`;
  const error = fail("LIMIT_EXCEEDED", { message, limit: "maxResultBytes", value: bytes });
  return { kind: "error", payload: JSON.stringify(toRecord(error)), meter: null };
}

/** Bounds the bytes of every op's arguments and results. */
export const limitsInterceptor: Interceptor = (next) => async (request) => {
  const { maxArgBytes } = request.scope.job.limits;
  const bytes = Buffer.byteLength(request.args);
  if (bytes > maxArgBytes) {
    const message = `${request.name}: arguments of ${bytes} bytes, over ${maxArgBytes} (maxArgBytes)`;
    const error = fail("LIMIT_EXCEEDED", { message, limit: "maxArgBytes", value: bytes });
    return { kind: "error", payload: JSON.stringify(toRecord(error)), meter: null };
  }
  const completion = await next(request);
  return overSize(request, completion.payload) ?? completion;
};
