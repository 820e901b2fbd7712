import { hash } from "node:crypto";
import { DEFAULT_LIMITS } from "../../runtime/index.ts";
import type { Caller } from "../../src/engine/types.ts";
import { createApp } from "../../src/http/app.ts";
import { startTestCore, type TestCore } from "./core.ts";
import { testKey, UNLIMITED } from "./keys.ts";

/** A server over real HTTP that knows the keys of two accounts. */
export interface TwoAccountServer {
  readonly url: string;
  readonly core: TestCore;
  /** Keys by whose they are. */
  readonly keys: Readonly<Record<"owner" | "stranger" | "none", string | null>>;
  close(): Promise<void>;
}

const KEYS = { owner: "weft_owner_0123456789", stranger: "weft_stranger_0123456789", none: null } as const;

const callerOf = (id: string, name: string): Caller => ({
  ...{ id, name, owner: name === "owner", suspended: false, limits: UNLIMITED },
  key: testKey(name),
});

/** Starts it on a free port; `environment` adds or replaces settings. */
export async function startTwoAccountServer(environment: Readonly<Record<string, string>>): Promise<TwoAccountServer> {
  const core = await startTestCore(environment);
  const callers = new Map([
    [hash("sha256", KEYS.owner, "hex"), callerOf(core.accountId, "owner")],
    [hash("sha256", KEYS.stranger, "hex"), callerOf("account-of-a-stranger", "stranger")],
  ]);
  const bugs: unknown[] = [];
  const { WEFT_EXECUTIONS_PER_MINUTE: perMinute } = environment;
  const app = await createApp({
    services: core.services,
    accountOfKey: (key) => callers.get(key) ?? null,
    limits: DEFAULT_LIMITS,
    ready: () => true,
    version: "0.0.0",
    executionsPerMinute: perMinute === undefined ? null : Number(perMinute),
    report: (error) => bugs.push(error),
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  core.listenAt(url);
  return {
    url,
    core,
    keys: KEYS,
    async close() {
      await app.close();
      await core.stop();
      await core.close();
      if (bugs.length > 0) throw new AggregateError(bugs, "the server reported bugs of its own");
    },
  };
}
