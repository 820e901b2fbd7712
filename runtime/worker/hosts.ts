import type { HostProfile } from "../execution.ts";
import type { HostFacts } from "../pool/link.ts";
import type { Wall } from "../spawn-confined.ts";
import { HostProcess } from "./host-process.ts";

/** What the hosts of a worker need. */
export interface HostsOptions {
  /** The program of a host; see host-source.ts. */
  readonly source: string;
  /** What stands around each host; null for nothing. */
  readonly wall: Wall | null;
  /** More flags of Node. */
  readonly flags: readonly string[];
  loadBundle(hash: string): Promise<string | null>;
}

/** How long a spare host is kept ready after one has died. */
const SPARE_MS = 300_000;
const SPARE_DELAY_MS = 500;
const MAX_START_ATTEMPTS = 4;
/** Hosts for one run each, at a time. */
const MAX_ALONE = 4;

/** The host processes of one worker: one per profile in use, replaced at once when it dies. */
export class Hosts {
  readonly #options: HostsOptions;
  readonly #current = new Map<HostProfile, HostProcess>();
  readonly #spares = new Map<HostProfile, HostProcess>();
  readonly #all = new Set<HostProcess>();
  #replaced = 0;
  #spareUntil = 0;
  #closed = false;
  #alone = 0;
  readonly #aloneQueue: (() => void)[] = [];

  constructor(options: HostsOptions) {
    this.#options = options;
  }

  /** The shared host of a profile, started when there is none. */
  shared(profile: HostProfile): Promise<HostProcess> {
    return this.#whenReady(() => {
      const host = this.#current.get(profile);
      return host?.alive === true ? host : this.#replace(profile);
    });
  }

  /** A host for one run only, as soon as fewer than {@link MAX_ALONE} are in use; kill it afterwards. */
  async alone(profile: HostProfile): Promise<HostProcess> {
    if (this.#alone >= MAX_ALONE) await new Promise<void>((resolve) => this.#aloneQueue.push(resolve));
    else this.#alone++;
    try {
      const host = await this.#whenReady(() => this.#start(profile, () => undefined));
      host.exited.then(() => this.#nextAlone());
      return host;
    } catch (error) {
      this.#nextAlone();
      throw error;
    }
  }

  /** Hands the place of a host that is gone to whoever waits longest. */
  #nextAlone(): void {
    const next = this.#aloneQueue.shift();
    if (next === undefined) this.#alone--;
    else next();
  }

  facts(): { readonly hosts: readonly HostFacts[]; readonly replaced: number } {
    const hosts = [...this.#all].map(({ pid, profile, started, running, residentBytes }) => ({
      pid,
      profile,
      ready: started,
      running,
      residentBytes,
    }));
    return { hosts, replaced: this.#replaced };
  }

  /** Kills all of them and resolves when they are gone: a worker that ended earlier would leave them unreaped. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const host of this.#all) host.kill();
    await Promise.all([...this.#all].map((host) => host.exited));
  }

  #start(profile: HostProfile, onDeath: () => void): HostProcess {
    const host: HostProcess = new HostProcess({
      ...this.#options,
      profile,
      onExit: (asked) => {
        this.#all.delete(host);
        // One that never started would only fail again: the next execution tries and reports it.
        if (!asked && !this.#closed && host.started) onDeath();
      },
    });
    this.#all.add(host);
    return host;
  }

  #replace(profile: HostProfile): HostProcess {
    const spare = this.#spares.get(profile);
    this.#spares.delete(profile);
    const host = spare?.alive === true ? spare : this.#start(profile, () => this.#died(profile));
    this.#current.set(profile, host);
    return host;
  }

  #died(profile: HostProfile): void {
    this.#replaced++;
    this.#spareUntil = Date.now() + SPARE_MS;
    if (this.#current.get(profile)?.alive !== true) this.#replace(profile);
    setTimeout(() => this.#addSpare(profile), SPARE_DELAY_MS).unref();
  }

  #addSpare(profile: HostProfile): void {
    if (this.#closed || this.#spares.get(profile)?.alive === true || Date.now() > this.#spareUntil) return;
    const spare = this.#start(profile, () => this.#died(profile));
    this.#spares.set(profile, spare);
    this.#endSpare(profile, spare);
  }

  /** Ends a spare that nobody has needed for SPARE_MS since the last death. */
  #endSpare(profile: HostProfile, spare: HostProcess): void {
    setTimeout(() => {
      if (this.#spares.get(profile) !== spare) return;
      if (Date.now() < this.#spareUntil) this.#endSpare(profile, spare);
      else {
        this.#spares.delete(profile);
        spare.kill();
      }
    }, this.#spareUntil - Date.now()).unref();
  }

  async #whenReady(make: () => HostProcess): Promise<HostProcess> {
    for (let attempt = 1; ; attempt++) {
      const host = make();
      try {
        await host.ready;
        return host;
      } catch (error) {
        if (attempt >= MAX_START_ATTEMPTS || this.#closed) throw error;
      }
    }
  }
}
