import { Readable } from "node:stream";
import { fail } from "../../../../runtime/index.ts";
import { parseExecutionId, toExecId } from "../../ids.ts";
import type { App, DialectDeps, Reply, Request } from "../dialect.ts";
import { CHECK_SCHEMA, type CheckBody, toCheckUpload } from "./check-body.ts";
import { toErrorMember } from "./errors.ts";

const LINES = "application/x-ndjson; charset=utf-8";
const RUN = {
  type: "object",
  properties: { id: { type: "string", description: "`exec_<32 hex digits>`, or the same as a UUID" } },
};
const REF = { type: "object", properties: { ref: { type: "string", description: "Ref name, number or UUID" } } };
const RECORDING_QUERY = {
  type: "object",
  additionalProperties: false,
  properties: {
    accessories: { type: "string", enum: ["true", "false"], description: "false leaves their contents out" },
  },
};

/** Sends a line of JSON per item; what goes wrong before the first item is a plain error of the dialect. */
async function sendLines<T>(
  reply: Reply,
  items: AsyncIterable<T>,
  show: (item: T) => unknown,
  see: (first: T) => void = () => undefined,
): Promise<Reply> {
  const iterator = items[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done !== true) see(first.value);
  async function* lines(): AsyncIterable<string> {
    for (let next = first; next.done !== true; next = await iterator.next())
      yield `${JSON.stringify(show(next.value))}\n`;
  }
  return reply.type(LINES).send(Readable.from(lines()));
}

/** Recordings of runs, and what other code would have made of them. */
export function registerReplays(app: App, deps: DialectDeps): void {
  const { replays, account, requestId } = deps;
  app.get(
    "/api/v1/runs/:id/recording",
    {
      schema: {
        tags: ["runs"],
        summary: "A run as a file to replay: bundle, sources, journal, chunks and logs; one JSON object a line",
        description:
          "Of a run that the result cache answered it is the recording of the run whose result it is, which `x-weft-execution-id` names.",
        params: RUN,
        querystring: RECORDING_QUERY,
      },
    },
    async (request: Request, reply) => {
      const { id } = request.params as { readonly id: string };
      const executionId = parseExecutionId(id);
      if (executionId === null) throw fail("EXECUTION_NOT_FOUND", { id });
      const { accessories } = request.query as { readonly accessories?: string };
      const params = { accountId: account(request).id, executionId, accessories: accessories !== "false" };
      const same = <T>(line: T) => line;
      return sendLines(reply, replays.recording(params), same, (line) => {
        // Of a cached run it is another one that was recorded.
        if (line.type === "recording") reply.header("x-weft-execution-id", toExecId(line.execution.id));
      });
    },
  );
  app.post(
    "/api/v1/workflows/:ref/check",
    {
      schema: {
        tags: ["workflows"],
        summary:
          "Replay the last runs, and all waiting ones, under another script: free, and nothing is called; one JSON object a line",
        params: REF,
        body: CHECK_SCHEMA,
      },
    },
    async (request: Request, reply) => {
      const { ref: key } = request.params as { readonly ref: string };
      const { last = 20, ...body } = request.body as CheckBody;
      const params = { accountId: account(request).id, key, upload: toCheckUpload(body), last };
      return sendLines(reply, replays.check(params), ({ execution, verdict }) => ({
        run: toExecId(execution.id),
        status: execution.state.status,
        created_at: execution.createdAt / 1_000,
        ...verdict,
        ...("error" in verdict ? { error: toErrorMember(verdict.error, requestId(request)) } : {}),
      }));
    },
  );
}
