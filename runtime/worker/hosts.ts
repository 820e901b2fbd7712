import type { HostProfile } from "../execution.ts";
import type { HostFacts } from "../pool/link.ts";
import { type HostProcess, startHost } from "./host-process.ts";

/** The host processes of one worker. */
export interface Hosts {
  /** The shared host of a profile, started when there is none. */
  shared(profile: HostProfile): Promise<HostProcess>;
  /** A host of its own for one run; kill it afterwards. */
  alone(profile: HostProfile): Promise<HostProcess>;
  facts(): { readonly hosts: readonly HostFacts[]; readonly replaced: number };
  /** Kills all of them. */
  close(): void;
}

/** How long a spare host is kept ready after one has died. */
const SPARE_MS = 300_000;

/** Creates the hosts of a worker; one that dies is replaced at once. */
export function createHosts(options: { source: string; loadBundle: (hash: string) => Promise<string | null> }): Hosts {
  const current = new Map<HostProfile, HostProcess>();
  const spares = new Map<HostProfile, HostProcess>();
  const all = new Set<HostProcess>();
  let replaced = 0;
  let spareUntil = 0;
  let closed = false;

  const start = (profile: HostProfile, onDeath: () => void): HostProcess => {
    const host: HostProcess = startHost({
      profile,
      source: options.source,
      loadBundle: options.loadBundle,
      onExit: (asked) => {
        all.delete(host);
        if (!asked && !closed) onDeath();
      },
    });
    all.add(host);
    return host;
  };

  const addSpare = (profile: HostProfile) => {
    if (closed || spares.has(profile) || Date.now() > spareUntil) return;
    spares.set(
      profile,
      start(profile, () => spares.delete(profile)),
    );
  };

  const replace = (profile: HostProfile): HostProcess => {
    const spare = spares.get(profile);
    spares.delete(profile);
    const host = spare?.alive() === true ? spare : start(profile, () => died(profile));
    current.set(profile, host);
    return host;
  };

  const died = (profile: HostProfile) => {
    replaced++;
    spareUntil = Date.now() + SPARE_MS;
    replace(profile);
    setTimeout(() => addSpare(profile), 500).unref();
  };

  const find = (profile: HostProfile): HostProcess => {
    const host = current.get(profile);
    return host?.alive() === true ? host : replace(profile);
  };

  const whenReady = async (make: () => HostProcess): Promise<HostProcess> => {
    for (let attempt = 0; ; attempt++) {
      const host = make();
      try {
        await host.ready;
        return host;
      } catch (error) {
        if (attempt >= 3 || closed) throw error;
      }
    }
  };

  return {
    shared: (profile) => whenReady(() => find(profile)),
    alone: (profile) => whenReady(() => start(profile, () => undefined)),
    facts: () => ({
      hosts: [...all].map((host) => ({
        pid: host.pid,
        profile: host.profile,
        running: host.running(),
        residentBytes: host.residentBytes(),
      })),
      replaced,
    }),
    close() {
      closed = true;
      for (const host of all) host.kill();
    },
  };
}
