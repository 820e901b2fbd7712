import { AGENT_TOOL_OPS } from "./agent-tools.ts";
import { invalidIn, isFields, shown } from "./arguments.ts";
import { type Capability, defineOp } from "./capability.ts";

const MAX_KEY_CHARS = 200;

const invalid = invalidIn("agents");

function parse(args: unknown): string {
  const key = isFields(args) ? args["agent"] : undefined;
  if (typeof key === "string" && key !== "" && key.length <= MAX_KEY_CHARS) return key;
  throw invalid("agent", `must be the name of an agent, or <name>@<version>, got ${shown(key)}`);
}

/** ctx.agents: the definition of an agent is read once per call and journaled, so that a resumed execution goes on with the same one. The loop itself runs in the guest (sandbox/agents). */
export const agents: Capability = {
  name: "agents",
  ops: {
    "agents.load": defineOp<string>({ effect: "outside", parse, run: (key, { scope }) => scope.agent(key) }),
    ...AGENT_TOOL_OPS,
  },
  declaration: `  /** Agents of the account. */
  readonly agents: Agents;`,
  doc: {
    member: "agents.completions.create({ agent, messages, … }), agents.run(agent, message)",
    sentence:
      "Lets an agent (system prompt, model, parameters and tools, kept by the API) talk with its tools until it answers; each model call and each tool call is a ctx call of its own.",
    limits: ["maxTools", "maxToolCalls", "maxToolTextBytes"],
  },
};
