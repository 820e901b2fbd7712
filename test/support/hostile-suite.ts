import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { HostProfile } from "../../runtime/index.ts";
import {
  BYSTANDER_OUTPUT,
  type HostileScript,
  type HostileScripts,
  type HostileServer,
  startHostileServer,
} from "./hostile.ts";
import { PATIENCE_MS } from "./until.ts";

/** Far above every limit plus a second: only what hangs takes longer, however busy the machine is. */
const BOUND_MS = 18_000;
const TEST_MS = 60_000;
/** Facts about hosts arrive once a second. */
const WAIT = { timeout: PATIENCE_MS, interval: 50 };

/** One server and the scripts that attack it. */
export interface HostileSuite {
  readonly profile: HostProfile;
  readonly environment?: Readonly<Record<string, string>>;
  /** Scripts by the name of their group; they run one after another. */
  readonly groups: Readonly<Record<string, HostileScripts>>;
  /** Groups whose scripts burn neither time nor memory; they run several at once. */
  readonly quickGroups?: Readonly<Record<string, HostileScripts>>;
}

/** Every `step`-th script, for the profile or the level at which the rest would only repeat itself. */
export function everyNth(scripts: HostileScripts, step: number): HostileScripts {
  return Object.fromEntries(Object.entries(scripts).filter((_, i) => i % step === 0));
}

async function expectDefeat(server: HostileServer, script: HostileScript): Promise<void> {
  const { hostile, bystanders } = await server.attack(script);
  const { code, message, body, headers, tookMs } = hostile;
  expect(script.ends, `${code}: ${message}`).toContain(code);
  expect(tookMs).toBeLessThan(BOUND_MS);
  if (code === "ok") {
    if ("output" in script) expect(body["output"]).toEqual(script.output);
  } else {
    expect(message).toContain(script.says ?? "");
    // Clients repeat 408 and 500 unless they are told not to.
    if (code !== "invalid_script") expect(headers.get("x-should-retry")).toBe("false");
  }
  for (const { output, tookMs: waitedMs } of bystanders) {
    expect(output).toEqual(BYSTANDER_OUTPUT);
    expect(waitedMs).toBeLessThan(BOUND_MS);
  }
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Declares one test per script against a server of its own, and one that the server is well afterwards. */
export function describeHostile({ profile, environment = {}, groups, quickGroups = {} }: HostileSuite): void {
  let server: HostileServer;
  beforeAll(async () => {
    server = await startHostileServer(profile, environment);
  });
  afterAll(async () => {
    const pids = server.stats().hosts.map(({ pid }) => pid);
    await server.close();
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), WAIT);
  });
  for (const [group, scripts] of Object.entries(quickGroups)) {
    describe.concurrent(`${profile}: ${group}`, () => {
      for (const [name, script] of Object.entries(scripts)) test(name, () => expectDefeat(server, script), TEST_MS);
    });
  }
  for (const [group, scripts] of Object.entries(groups)) {
    describe(`${profile}: ${group}`, () => {
      for (const [name, script] of Object.entries(scripts)) test(name, () => expectDefeat(server, script), TEST_MS);
    });
  }
  test(`${profile}: the server is ready, has live hosts and found no bug of its own afterwards`, async () => {
    const ready = await fetch(`${server.url}/readyz`);
    expect(ready.status).toBe(200);
    expect((await server.call("quick")).body["output"]).toEqual(BYSTANDER_OUTPUT);
    await vi.waitFor(() => expect(server.stats().hosts.filter(({ pid }) => isAlive(pid))).not.toEqual([]), WAIT);
    expect(server.reported).toEqual([]);
  });
}
