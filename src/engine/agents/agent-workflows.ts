import type { Store } from "../../store/store.ts";
import type { Deploy } from "../deploy.ts";
import { createTurns } from "../turns.ts";
import type { DeployRequest } from "../workflows.ts";
import { AGENT_REF, AGENT_SCRIPT } from "./built-in-script.ts";

const upload = (accountId: string, name: string): DeployRequest => ({
  accountId,
  ref: `${AGENT_REF}${name}`,
  upload: { files: [{ path: "agent.ts", text: AGENT_SCRIPT }] },
  settings: { name, description: `Runs the agent ${name}.` },
  accessories: [],
  publish: true,
  bump: "minor",
  notes: "part of Weft",
});

/** Makes the function that resolves to the ref of the workflow that runs an agent; it is made, or brought up to date, when the agent is first called. */
export function createAgentWorkflows(
  store: Store,
  deploy: Deploy,
): (accountId: string, name: string) => Promise<string> {
  const inTurn = createTurns();
  /** Ids of the workflows that have this Weft's script. */
  const ready = new Set<string>();
  const prepare = async (request: DeployRequest): Promise<string> => {
    const known = await store.findWorkflow({ accountId: request.accountId, key: request.ref });
    const isReady = known !== null && known.activeVersionId !== null && ready.has(known.id);
    if (!isReady) ready.add((await deploy(request)).workflow.id);
    return request.ref;
  };
  return (accountId, name) => inTurn(`${accountId}:${name}`, () => prepare(upload(accountId, name)));
}
