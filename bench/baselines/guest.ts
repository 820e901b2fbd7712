/** The script of the naive sandboxes: a function from JSON text to a promise of JSON text. */
export const GUEST = `(() => {
  async function execute(ctx) { return { echo: ctx.input }; }
  return async (input) => JSON.stringify(await execute({ input: JSON.parse(input) }));
})()`;

/** Longest run of a script, ms. */
export const TIMEOUT_MS = 1_000;

/** Heap of one isolate, MiB. */
export const MEMORY_MIB = 128;
