import { afterEach, beforeEach, describe } from "vitest";
import type { Store } from "../../src/store/store.ts";
import { describeAccounts } from "./contract/accounts.ts";
import { describeAgents } from "./contract/agents.ts";
import { describeApprovals } from "./contract/approvals.ts";
import { describeBudgets } from "./contract/budgets.ts";
import { describeCancellation } from "./contract/cancellation.ts";
import { describeDatastores } from "./contract/datastores.ts";
import { describeEvents } from "./contract/events.ts";
import { describeExecutions } from "./contract/executions.ts";
import { describeFiles } from "./contract/files.ts";
import { describeForks } from "./contract/forks.ts";
import { describeGates } from "./contract/gates.ts";
import { describeGraphs } from "./contract/graphs.ts";
import { describeJobs } from "./contract/jobs.ts";
import { describeJournal } from "./contract/journal.ts";
import { describeKeys } from "./contract/keys.ts";
import { describeLeases } from "./contract/leases.ts";
import { describeLists } from "./contract/lists.ts";
import { describeOutput } from "./contract/output.ts";
import { describeRemoval } from "./contract/removal.ts";
import { describeResults } from "./contract/results.ts";
import { describeRunRemoval } from "./contract/run-removal.ts";
import { describeSchedules } from "./contract/schedules.ts";
import { describeSecrets } from "./contract/secrets.ts";
import { describeTraces } from "./contract/traces.ts";
import { describeVersions } from "./contract/versions.ts";
import { describeWaits } from "./contract/waits.ts";
import { describeWebhooks } from "./contract/webhooks.ts";
import { describeWorkflows } from "./contract/workflows.ts";
import { type World, worldOf } from "./fixtures.ts";

/** How the suite gets at one implementation. */
export interface StoreDriver {
  /** A new, empty store. */
  open(): Promise<Store>;
  /** The same data again, after `close` of the store before. */
  reopen(): Promise<Store>;
  /** Closes and removes everything that `open` made. */
  dispose(): Promise<void>;
}

/** What every test of the suite may use. */
export interface Subject {
  readonly world: World;
  /** Closes the store and opens it again. */
  reopen(): Promise<Store>;
}

/** Runs the contract of `Store` against the implementation that `driver` opens. */
export function describeStore(name: string, driver: () => StoreDriver): void {
  describe(name, () => {
    let current: StoreDriver;
    let world: World;
    beforeEach(async () => {
      current = driver();
      world = await worldOf(await current.open());
    });
    afterEach(async () => {
      await world.store.close();
      await current.dispose();
    });
    const subject = (): Subject => ({
      world,
      async reopen() {
        await world.store.close();
        world = { ...world, store: await current.reopen() };
        return world.store;
      },
    });
    describeAccounts(subject);
    describeBudgets(subject);
    describeWorkflows(subject);
    describeVersions(subject);
    describeExecutions(subject);
    describeKeys(subject);
    describeLists(subject);
    describeTraces(subject);
    describeLeases(subject);
    describeCancellation(subject);
    describeGraphs(subject);
    describeGates(subject);
    describeJobs(subject);
    describeFiles(subject);
    describeForks(subject);
    describeJournal(subject);
    describeOutput(subject);
    describeResults(subject);
    describeRemoval(subject);
    describeRunRemoval(subject);
    describeSchedules(subject);
    describeSecrets(subject);
    describeWaits(subject);
    describeEvents(subject);
    describeApprovals(subject);
    describeWebhooks(subject);
    describeDatastores(subject);
    describeAgents(subject);
  });
}
