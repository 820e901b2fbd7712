import type { ErrorRecord } from "../../../../runtime/index.ts";
import { toExecId } from "../../ids.ts";

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** An error of a used-up budget in the API's ids, saying how more is given; any other error as it is. */
export function withTopUp(record: ErrorRecord): ErrorRecord {
  const { waiting: uuid, execution_id: owner, ...details } = record.details;
  const run = record.code === "BUDGET_EXCEEDED" ? text(uuid) : null;
  if (run === null) return record;
  const id = toExecId(run);
  const payer = text(owner);
  const [path, command] =
    payer === null
      ? ["POST /api/v1/budgets/add", "weft budget add account"]
      : [`POST /api/v1/runs/${toExecId(payer)}/budget`, `weft budget add ${toExecId(payer)}`];
  return {
    ...record,
    message: `${record.message} Run ${id}; add with ${path} or \`${command}\`.`,
    details: {
      ...details,
      run: id,
      ...(payer === null ? {} : { execution_id: toExecId(payer) }),
      top_up: path,
    },
  };
}
