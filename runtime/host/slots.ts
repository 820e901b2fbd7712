import type { Isolation } from "../../sandbox/wire.ts";
import {
  createIsolate,
  type GuestPost,
  type GuestScript,
  hasRun,
  type IsolateBox,
  isCompiled,
  type LoadedBundle,
  type OnPost,
  type Realm,
  type RealmOptions,
} from "./isolate.ts";
import { createLane, type Lane, whenFree } from "./turns.ts";

/** An isolate in use and the runs in it. */
export interface Slot {
  readonly key: string;
  readonly isolation: Isolation;
  readonly lane: Lane;
  readonly runs: Set<number>;
  readonly script: GuestScript;
  /** Booted realms with the bundle loaded, but no run yet (`context`). */
  readonly spares: Promise<Seat>[];
  /** The one realm all runs share (`frozen`). */
  shared: Promise<Seat> | null;
  /** When its last run left, ms of `performance.now()`. */
  idleSince: number;
  /** Runs that left since its garbage was last collected; null = it never was. */
  uncollected: number | null;
  /** Set when the isolate may not be used again. */
  closed: boolean;
}

/** A place for one run: a realm with the bundle loaded. */
export interface Seat {
  readonly slot: Slot;
  readonly realm: Realm;
  readonly bundle: LoadedBundle;
}

/** What the slots need to know about the process they are in. */
export interface SlotsOptions {
  readonly prelude: GuestScript;
  readonly manifest: string;
  /** A post out of some realm of `slot`; its run is the one whose turn it is. */
  onPost(slot: Slot, post: GuestPost): void;
  /** V8 failed inside `slot`: the process must be replaced. */
  onStuck(slot: Slot): void;
}

/** What one run asks for. */
export interface SeatRequest {
  readonly run: number;
  readonly key: string;
  readonly isolation: Isolation;
  readonly memoryMb: number;
  /** True for describe: a fresh but hardened isolate, to find out whether the bundle can live so. */
  readonly trial: boolean;
  readonly script: GuestScript;
  /** Large globals that the script names. */
  readonly needs: number;
}

/** A booted isolate that belongs to no run yet. */
interface Warm {
  readonly box: IsolateBox;
  readonly realm: Realm;
  readonly home: { slot: Slot | null };
  readonly memoryMb: number;
  readonly hardened: boolean;
}

const UNUSED = { idleSince: 0, uncollected: null, closed: false };
const MAX_SHARING = 64;
/** Making and freezing a realm leaves twice as much garbage as the realm is large. */
const COLLECT_AFTER_MS = 1_000;
const COLLECT_AFTER_RUNS = 32;
const MAX_IDLE_SLOTS = 256;
const MAX_SPARES = 8;
const MAX_WARM = 12;
const MIN_WARM = 2;
const DEFAULT_MEMORY_MB = 128;

/** Gives runs their realm: shared, fresh in a kept isolate, or in an isolate of its own. */
export class Slots {
  readonly #options: SlotsOptions;
  readonly #byKey = new Map<string, Set<Slot>>();
  /** Kept slots without runs, least recently used first. */
  readonly #idle = new Set<Slot>();
  /** `context` slots that may need more spare realms. */
  readonly #thirsty = new Set<Slot>();
  #warm: Warm[] = [];
  readonly #wanted = { open: MIN_WARM, hardened: MIN_WARM };
  #memoryMb = DEFAULT_MEMORY_MB;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  /** A place for a run; rejects with what the compiler says of the bundle. */
  seat(request: SeatRequest): Promise<Seat> {
    if (request.trial || request.isolation === "isolate") {
      const { slot, first } = this.#open(request, request.trial);
      slot.runs.add(request.run);
      return first;
    }
    const { slot, first } = this.#keptSlot(request);
    slot.runs.add(request.run);
    if (slot.isolation === "context") {
      this.#thirsty.add(slot);
      return first ?? slot.spares.shift() ?? this.#spare(slot);
    }
    slot.shared ??= first;
    return slot.shared as Promise<Seat>;
  }

  /** Gives a run's place back; its isolate is disposed or kept for the next run of the version. `whole`: it ran from beginning to end. */
  leave({ slot, realm }: Seat, run: number, whole: boolean): void {
    slot.runs.delete(run);
    if (slot.closed) return;
    if (whole) keepCode(slot);
    if (!this.#byKey.has(slot.key)) this.close(slot);
    else {
      if (slot.isolation === "context") realm.release();
      if (slot.uncollected !== null) slot.uncollected++;
      if (slot.runs.size === 0) {
        slot.idleSince = performance.now();
        this.#idle.add(slot);
      }
      while (this.#idle.size > MAX_IDLE_SLOTS) this.close(this.#idle.values().next().value as Slot);
    }
  }

  /** Drops the slots a run got when its bundle could not be loaded there: the next run tries a fresh one. */
  abandon(key: string, run: number): void {
    for (const slots of [...this.#byKey.values()]) {
      for (const slot of [...slots]) if (slot.key.endsWith(`:${key}`) && slot.runs.delete(run)) this.close(slot);
    }
  }

  /** A kept isolate without runs for a while whose garbage is worth collecting; it counts as collected from now on. */
  takeUncollected(): Slot | null {
    const before = performance.now() - COLLECT_AFTER_MS;
    for (const slot of this.#idle) {
      if (slot.isolation !== "frozen" || slot.idleSince > before) continue;
      if (slot.uncollected !== null && slot.uncollected < COLLECT_AFTER_RUNS) continue;
      slot.uncollected = 0;
      return slot;
    }
    return null;
  }

  /** Disposes every kept isolate that no run is in. */
  shrink(): void {
    for (const slot of [...this.#idle]) this.close(slot);
  }

  /** Takes a slot out of use and disposes its isolate. */
  close(slot: Slot): void {
    slot.closed = true;
    this.#idle.delete(slot);
    this.#thirsty.delete(slot);
    const slots = this.#byKey.get(slot.key);
    slots?.delete(slot);
    if (slots?.size === 0) this.#byKey.delete(slot.key);
    slot.lane.box.dispose();
  }

  /** Does one piece of work that need not be done on a request's path; false when there is none. */
  refill(): boolean {
    for (const hardened of [true, false]) {
      const ready = this.#warm.filter((item) => item.hardened === hardened).length;
      if (ready >= this.#wanted[hardened ? "hardened" : "open"]) continue;
      this.#warm.push(this.#make(this.#memoryMb, hardened));
      return true;
    }
    for (const slot of this.#thirsty) {
      if (slot.spares.length < Math.min(MAX_SPARES, slot.runs.size + MIN_WARM)) {
        const spare = this.#spare(slot);
        spare.catch(() => undefined);
        slot.spares.push(spare);
        return true;
      }
      this.#thirsty.delete(slot);
    }
    return false;
  }

  #keptSlot(request: SeatRequest): { slot: Slot; first: Promise<Seat> | null } {
    const key = `${request.isolation}:${request.memoryMb}:${request.key}`;
    const slots = this.#byKey.get(key) ?? new Set();
    this.#byKey.set(key, slots);
    for (const slot of slots) {
      if (slot.runs.size >= MAX_SHARING) continue;
      this.#idle.delete(slot);
      return { slot, first: null };
    }
    const opened = this.#open({ ...request, key }, request.isolation === "frozen");
    slots.add(opened.slot);
    return opened;
  }

  #open(request: SeatRequest, hardened: boolean): { slot: Slot; first: Promise<Seat> } {
    const { memoryMb, needs } = request;
    // Hardened realms are kept ready without what few scripts need: it would double them.
    const { box, realm, home } = this.#take(memoryMb, hardened && needs === 0);
    if (hardened && needs !== 0) realm.harden(needs);
    const { key, isolation, script } = request;
    const lane = createLane(box);
    const slot: Slot = { key, isolation, lane, script, runs: new Set(), spares: [], shared: null, ...UNUSED };
    home.slot = slot;
    return { slot, first: seatIn(slot, realm) };
  }

  /** A fresh context takes five trips into a running isolate, but none while it is free. */
  #spare(slot: Slot): Promise<Seat> {
    const { prelude, manifest, onPost } = this.#options;
    const { lane } = slot;
    const options: RealmOptions = { prelude, manifest, onPost: (...post) => onPost(slot, post) };
    return new Promise((resolve) => whenFree(lane, () => resolve(makeSeat(slot, options))));
  }

  #take(memoryMb: number, hardened: boolean): Warm {
    this.#memoryMb = memoryMb;
    const found = this.#warm.find((item) => item.memoryMb === memoryMb && item.hardened === hardened);
    if (found !== undefined) {
      this.#warm = this.#warm.filter((item) => item !== found);
      return found;
    }
    const kind = hardened ? "hardened" : "open";
    this.#wanted[kind] = Math.min(MAX_WARM, this.#wanted[kind] + 1);
    return this.#make(memoryMb, hardened);
  }

  #make(memoryMb: number, hardened: boolean): Warm {
    const home: { slot: Slot | null } = { slot: null };
    const box = createIsolate(memoryMb, () => {
      if (home.slot !== null) this.#options.onStuck(home.slot);
    });
    const { prelude, manifest } = this.#options;
    const onPost: OnPost = (...post) => {
      if (home.slot !== null) this.#options.onPost(home.slot, post);
    };
    const realm = box.realmNow({ prelude, manifest, onPost });
    if (hardened) realm.harden(0);
    return { box, realm, home, memoryMb, hardened };
  }
}

/** After the first whole run in this process; while others run in the isolate, a later one will do. */
function keepCode({ lane, script }: Slot): void {
  if (lane.running === null && !hasRun(script)) lane.box.keepCode(script);
}

/** Rejects when the isolate is gone by now. */
async function makeSeat(slot: Slot, options: RealmOptions): Promise<Seat> {
  return seatIn(slot, slot.lane.box.realmNow(options));
}

async function seatIn(slot: Slot, realm: Realm): Promise<Seat> {
  const free = slot.lane.running === null && isCompiled(slot.script);
  return { slot, realm, bundle: free ? realm.loadNow(slot.script) : await realm.loadLater(slot.script) };
}
