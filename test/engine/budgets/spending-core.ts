import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Balance } from "../../../src/store/store.ts";
import { startTestCore, type TestCore } from "../../support/core.ts";
import { makeDataDir } from "../../support/data-dir.ts";
import { type ModelStub, startModelStub } from "../../support/model-stub.ts";

/** A core whose model is a counting stub with prices, and what its executions spend. */
export interface SpendingCore extends TestCore {
  readonly stub: ModelStub;
  balance(executionId: string): Promise<Balance>;
  /** Raises the budget of an execution. */
  add(
    executionId: string,
    add: Partial<Balance["limits"]>,
    idempotencyKey?: string,
  ): Promise<{ readonly repeated: boolean }>;
}

/** The models of the stub: `priced` costs a dollar a million tokens, `free` nothing; nobody said what `unpriced` costs. */
const modelsOf = (url: string) => ({
  models: {
    priced: { base_url: url, price_per_million_tokens: { prompt: 1, completion: 1 }, max_retries: 1 },
    free: { base_url: url, price_per_million_tokens: { prompt: 0, completion: 0 }, max_retries: 0 },
    unpriced: { base_url: url, max_retries: 0 },
  },
});

/** Writes the models file of a stub; resolves to its path. */
export async function writeModels(directory: string, stub: ModelStub): Promise<string> {
  const file = join(directory, "models.json");
  await writeFile(file, JSON.stringify(modelsOf(stub.url)));
  return file;
}

/** Starts it. */
export async function startSpendingCore(): Promise<SpendingCore> {
  const stub = await startModelStub();
  const dir = await makeDataDir();
  const core = await startTestCore({ WEFT_DATA_DIR: dir.path, WEFT_MODELS: await writeModels(dir.path, stub) });
  const { accountId, budgets } = core;
  return {
    ...core,
    stub,
    async balance(executionId) {
      const found = await budgets.balance({ accountId, executionId });
      if (found === null) throw new Error(`${executionId} has no budget`);
      return found;
    },
    add: (executionId, add, idempotencyKey) =>
      budgets.topUp({
        accountId,
        target: { executionId },
        add: { nanoUsd: null, tokens: null, calls: null, ...add },
        idempotencyKey: idempotencyKey ?? null,
      }),
    async close() {
      await core.close();
      await stub.close();
      await dir.remove();
    },
  };
}

/** A script whose `ask(text)` makes a call of at most 20 tokens of answer. */
export const spending = (budget: object, body: string): string => `
export const config = ${JSON.stringify({ budget })};
export async function execute(ctx) {
  const ask = async (content, more = {}) => (await ctx.chat.completions.create({ model: "priced", max_tokens: 20, messages: [{ role: "user", content }], ...more })).choices[0].message.content;
  ${body}
}`;
