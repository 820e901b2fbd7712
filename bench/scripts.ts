const ECHO = "export async function execute(ctx) { return { echo: ctx.input }; }\n";

const MODELS = `export async function execute(ctx) {
  for (let step = 0; step < 3; step++) await ctx.chat.completions.create({ messages: [{ role: "user", content: "step " + step }] });
  return { done: true };
}
`;

const level = (isolation: string) => `export const config = { isolation: "${isolation}" };\n`;

/** A function that only computes, as text: of plain JavaScript, and the same wherever it runs. */
export const CPU_WORK = `function work(rounds) {
  let sum = 0;
  for (let round = 0; round < rounds; round++) {
    const items = Array.from({ length: 2_000 }, (_, n) => ({ key: "k" + ((n * 7919 + round) % 1_009), value: (n * 31 + round) % 997 }));
    const byKey = new Map();
    for (const { key, value } of items) byKey.set(key, (byKey.get(key) ?? 0) + value);
    const sorted = [...byKey].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
    const text = JSON.stringify(sorted.map(([key, value]) => key.toUpperCase() + ":" + value));
    for (const part of JSON.parse(text)) sum = (sum * 33 + part.length + Number(part.split(":")[1])) % 1_000_000_007;
  }
  return sum;
}`;

/** The workflows that the bench uploads, by ref. */
export const SCRIPTS = {
  echo: ECHO,
  "echo-context": level("context") + ECHO,
  "echo-isolate": level("isolate") + ECHO,
  // POST, because such a call must be on disk before it is made and after it is answered.
  ops: `export async function execute(ctx) {
  let sum = 0;
  for (let step = 0; step < 3; step++) {
    const response = await ctx.http.post(ctx.input.upstream + "/now", { json: { step } });
    sum += response.json().value;
  }
  return { sum };
}
`,
  // The same calls as the graph of three nodes makes.
  three: `export async function execute(ctx) {
  const ask = async (content) =>
    (await ctx.chat.completions.create({ model: "echo", messages: [{ role: "user", content }] })).choices[0].message.content;
  const a = await ask("one " + ctx.input.x);
  const b = await ask("two " + a);
  return { a, b, c: await ask("three " + b) };
}
`,
  fan: `export async function execute(ctx) {
  for (let step = 0; step < 3; step++) await ctx.http.get(ctx.input.upstream + "/wait");
  return { done: true };
}
`,
  first: `export async function execute(ctx) {
  ctx.emit("progress", { step: 1 });
  await ctx.http.get(ctx.input.upstream + "/wait");
  return { done: true };
}
`,
  chunks: `export async function execute(ctx) {
  for (let index = 0; index < ctx.input.count; index++) ctx.emit("progress", { index });
  return { done: true };
}
`,
  many: `export async function execute(ctx) {
  const { upstream, ops } = ctx.input;
  for (let done = 0; done < ops; done += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, n) => ctx.http.post(upstream + "/now", { json: { item: done + n } })));
  }
  return { ops };
}
`,
  // 4 bytes are about one token: 800 KB in the end.
  chat: `export async function execute(ctx) {
  const messages = [{ role: "system", content: "You are the agent of a bench." }];
  const text = (bytes) => Array.from({ length: bytes / 8 }, () => Math.random().toString(36).slice(2, 9)).join(" ");
  for (let call = 0; call < 100; call++) {
    messages.push({ role: "user", content: text(2_700) });
    const reply = await ctx.chat.completions.create({ messages });
    messages.push(reply.choices[0].message, { role: "tool", tool_call_id: "call_" + call, content: text(2_600) });
  }
  return { bytes: JSON.stringify(messages).length };
}
`,
  resume: `export async function execute(ctx) {
  const { upstream, ops } = ctx.input;
  for (let done = 0; done < ops; done += 100) {
    await Promise.all(Array.from({ length: 100 }, () => ctx.http.post(upstream + "/now", { json: { done } })));
  }
  await ctx.http.get(upstream + "/hang?" + ops, { timeout_ms: 300_000 });
  return { ops };
}
`,
  // The built-in model takes no time: what is left is what a call costs here.
  models: MODELS,
  "models-budget": `export const config = { budget: { usd: 1, tokens: 1_000_000, calls: 1_000 } };\n${MODELS}`,
  cpu: `${CPU_WORK}\nexport const execute = (ctx) => work(ctx.input.rounds);\n`,
  hang: `export const execute = async (ctx) => (await ctx.http.get(ctx.input.upstream + "/hang?in-ops", { timeout_ms: 300_000 })).status;\n`,
  wait: `export async function execute(ctx) {
  return (await ctx.waitFor("bench", { match: { n: ctx.input.n } })).data;
}
`,
  "datastore-get": `export const config = { datastores: ["records", "empty"] };
export async function execute(ctx) {
  const { store, count, records } = ctx.input;
  for (let at = 0; at < count; at++) await ctx.datastore.get(store, "r" + ((at * 7919) % records));
  return { count };
}
`,
  "datastore-search": `export const config = { datastores: ["records"] };
export async function execute(ctx) {
  const { query, count } = ctx.input;
  let found = 0;
  for (let at = 0; at < count; at++) found += (await ctx.datastore.search("records", query)).length;
  return { found };
}
`,
} as const;

/** Ref of a workflow of the bench. */
export type ScriptRef = keyof typeof SCRIPTS;

/** An echo script that no server has seen before; `label` makes it unlike every other one. */
export function unseenScript(label: string): string {
  return `const label = ${JSON.stringify(label)};\nexport async function execute(ctx) { return { label, echo: ctx.input }; }\n`;
}
