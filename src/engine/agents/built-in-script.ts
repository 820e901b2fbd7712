/** Begins the refs of the workflows that run agents; no upload can have such a ref. */
export const AGENT_REF = "agent:";

/**
 * The script behind `/agent/chat/completions`: one version per agent, an execution like any other. Called as a workflow
 * (nested, by the clock) its input is what the user says. Chunks are counted: after many, text is sent in larger pieces, and what tools do no more.
 */
export const AGENT_SCRIPT = `
const AT_ONCE = 4_000;
const TOGETHER = 2_000;

function said(ctx) {
  if (ctx.messages.length > 0) return ctx.messages;
  const text = typeof ctx.input === "string" ? ctx.input : JSON.stringify(ctx.input);
  return [{ role: "user", content: text }];
}

const answerOf = ({ message }) => ("parsed" in message ? message.parsed : (message.content ?? ""));

async function passOn(chunks, ctx) {
  let sent = 0;
  let events = 0;
  let waiting = "";
  const flush = () => {
    if (waiting !== "") sent++;
    ctx.write(waiting);
    waiting = "";
  };
  for await (const chunk of chunks) {
    if (chunk.type !== undefined) {
      flush();
      if (events++ < AT_ONCE) ctx.emit(chunk.type, chunk.content);
      continue;
    }
    waiting += chunk.choices[0].delta.content ?? "";
    if (sent < AT_ONCE || waiting.length >= TOGETHER) flush();
  }
  flush();
}

export async function execute(ctx) {
  const { stream, ...params } = ctx.params;
  const name = ctx.workflow_info.ref_name.slice("${AGENT_REF}".length);
  const version = ctx.messages.length > 0 ? ctx.input?.agent_version : undefined;
  const asked = { ...params, agent: version === undefined ? name : name + "@" + version, messages: said(ctx) };
  if (stream !== true) return answerOf((await ctx.agents.completions.create(asked)).choices[0]);
  const chunks = await ctx.agents.completions.create({ ...asked, stream: true });
  await passOn(chunks, ctx);
  return answerOf((await chunks.final()).choices[0]);
}
`;
