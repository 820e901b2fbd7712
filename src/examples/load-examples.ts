import { WorkflowError } from "../../runtime/index.ts";
import type { DatastoreName } from "../engine/datastores/datastore-service.ts";
import type { Services } from "../engine/services.ts";
import type { Datastore } from "../engine/types.ts";
import { type Example, type ExampleDatastore, readExamples } from "./example-files.ts";

/** Who gets the examples. */
export interface Recipient {
  readonly services: Pick<Services, "workflows" | "agents" | "datastores">;
  readonly accountId: string;
}

/** What was loaded, and what is still to come. */
export interface LoadedExamples {
  readonly refs: readonly string[];
  /** Datastores that exist, but have no records before {@link fillDatastores}. */
  readonly datastores: readonly ExampleDatastore[];
}

/** A start that ended half way has made it already. */
const unlessThere = (error: unknown): void => {
  if (!(error instanceof WorkflowError && error.code === "CONFLICT")) throw error;
};

async function loadExample(example: Example, { services, accountId }: Recipient): Promise<void> {
  const { ref, text, accessories, datastores, agents } = example;
  for (const { name, definition } of datastores)
    await services.datastores.create({ accountId, name, definition }).catch(unlessThere);
  for (const definition of agents)
    await services.agents.put({ accountId, definition, notes: "example", activate: true, expects: "any" });
  await services.workflows.deploy({
    accountId,
    ref,
    upload: { files: [{ path: `${ref}.ts`, text }] },
    settings: { description: /^\/\/ (.*)$/m.exec(text)?.[1] ?? "" },
    accessories,
    publish: true,
    bump: "minor",
    notes: "example",
  });
}

/** Deploys the examples with their accessories and agents, and makes their datastores, empty. */
export async function loadExamples(recipient: Recipient): Promise<LoadedExamples> {
  const examples = await readExamples();
  // An example may read the datastore of another.
  const ordered = examples.toSorted((a, b) => b.datastores.length - a.datastores.length);
  for (const example of ordered) await loadExample(example, recipient);
  return { refs: examples.map(({ ref }) => ref), datastores: examples.flatMap(({ datastores }) => datastores) };
}

/** The datastores of all examples. */
export async function exampleDatastores(): Promise<readonly ExampleDatastore[]> {
  return (await readExamples()).flatMap(({ datastores }) => datastores);
}

/** The datastore, unless its owner has removed it. */
async function findKept(service: Services["datastores"], name: DatastoreName): Promise<Datastore | null> {
  try {
    return await service.find(name);
  } catch (error) {
    if (error instanceof WorkflowError && error.code === "NOT_FOUND") return null;
    throw error;
  }
}

/** Imports the records of datastores that have none and wait for none; resolves when they are there or `signal` fires. */
export async function fillDatastores(
  datastores: readonly ExampleDatastore[],
  { services: { datastores: service }, accountId }: Recipient,
  signal: AbortSignal,
): Promise<void> {
  const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  for (const { name: key, format, open } of datastores) {
    if (signal.aborted) return;
    const datastore = await findKept(service, { accountId, key });
    if (datastore === null || datastore.current !== null) continue;
    const [last] = await service.imports({ accountId, key });
    if (last?.state.status === "queued" || last?.state.status === "running") continue;
    const staged = await service.stage({ accountId, body: open(), length: null, signal });
    const request = { accountId, key, format, options: {}, definition: null, creates: false };
    const { id: importId } = await service.addImport(staged, request);
    const ended = await Promise.race([service.importEnd({ accountId, key, importId }), stopped]);
    if (ended?.state.status === "failed") throw new Error(`example datastore ${key}`, { cause: ended.state.error });
  }
}
