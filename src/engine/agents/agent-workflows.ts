import type { AgentDefinition } from "../../../runtime/index.ts";
import type { Store } from "../../store/store.ts";
import type { Deploy } from "../deploy.ts";
import { createTurns } from "../turns.ts";
import type { DeployRequest } from "../workflows.ts";
import { AGENT_REF, AGENT_SCRIPT } from "./built-in-script.ts";

const upload = (accountId: string, name: string, datastores: readonly string[]): DeployRequest => ({
  accountId,
  ref: `${AGENT_REF}${name}`,
  upload: { files: [{ path: "agent.ts", text: AGENT_SCRIPT }] },
  settings: { name, description: `Runs the agent ${name}.` },
  accessories: [],
  datastores,
  publish: true,
  bump: "minor",
  notes: "part of Weft",
});

/** Names of the datastores that the tools of an agent search. */
const datastoresOf = ({ tools }: AgentDefinition): readonly string[] =>
  tools.flatMap((tool) => (tool.type === "datastore" ? [tool.datastore] : []));

/**
 * Makes the function that resolves to the ref of the workflow that runs an agent: made, or brought up to date, when the agent is
 * first called, and when a version searches datastores that it could not read before.
 */
export function createAgentWorkflows(
  store: Store,
  deploy: Deploy,
): (accountId: string, definition: AgentDefinition) => Promise<string> {
  const inTurn = createTurns();
  /** Id of each version that has this Weft's script → datastores that it may read. */
  const ready = new Map<string, readonly string[]>();

  const prepare = async (accountId: string, name: string, needed: readonly string[]): Promise<string> => {
    const ref = `${AGENT_REF}${name}`;
    const known = await store.findWorkflow({ accountId, key: ref });
    const attached = ready.get(known?.activeVersionId ?? "");
    if (attached !== undefined && needed.every((one) => attached.includes(one))) return ref;
    const datastores = [...new Set([...(attached ?? []), ...needed])].toSorted();
    const { version } = await deploy(upload(accountId, name, datastores));
    ready.set(version.id, datastores);
    return ref;
  };

  return (accountId, definition) => {
    const { name } = definition;
    return inTurn(`${accountId}:${name}`, () => prepare(accountId, name, datastoresOf(definition)));
  };
}
