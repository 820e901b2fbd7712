import type { Completion, OpRequest } from "../../runtime/interceptors/interceptor.ts";
import { Call, type CallOwner } from "../../runtime/worker/call.ts";
import { testScope } from "../capabilities/op-call.ts";

/** How a call of {@link underWay} ends. */
export const DONE: Completion = { kind: "result", payload: '"done"', meter: null };

/** A call under way, with its far end in the test's hands. */
export function underWay(pos = 0, hash = "hash") {
  const ended = Promise.withResolvers<Completion>();
  const told: unknown[] = [];
  const owner: CallOwner = {
    part: (_call, json) => void told.push(json),
    ended: (_call, { payload }) => void told.push(payload),
    hold: (_call, bytes) => void told.push(bytes),
    parks: () => undefined,
  };
  const call = new Call(pos, "http.request", "{}", { hash, node: "" });
  let request: OpRequest | null = null;
  const dispatch = (asked: OpRequest) => {
    request = asked;
    return ended.promise;
  };
  const finished = call.begin(owner, { dispatch, scope: testScope(), now: 0, delivered: [] });
  if (request === null) throw new Error("it was not dispatched");
  const end = async () => {
    ended.resolve(DONE);
    await finished;
  };
  const fails = async (code: string) => {
    ended.resolve({ kind: "error", payload: JSON.stringify({ code, message: "no", details: {} }), meter: null });
    await finished;
  };
  return { call, owner, told, end, fails, request: request as OpRequest };
}
