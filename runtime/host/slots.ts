import type { Isolation } from "../../sandbox/wire.ts";
import {
  createIsolate,
  type GuestScript,
  type IsolateBox,
  type LoadedBundle,
  type OnPost,
  type Realm,
} from "./isolate.ts";
import { createLane, type Lane } from "./turns.ts";

/** An isolate, the executions in it, and the realms it keeps ready. */
export interface Slot {
  readonly key: string;
  readonly lane: Lane;
  readonly runs: Set<number>;
  readonly isolation: Isolation;
  /** Realms that are booted and have the bundle loaded, but no execution yet (`context`). */
  readonly spares: Promise<Seat>[];
  /** The one realm all executions share (`frozen`). */
  shared: Promise<Seat> | null;
  /** Set when the isolate may not be used again. */
  closed: boolean;
}

/** A place for one execution: a realm with the bundle loaded. */
export interface Seat {
  readonly slot: Slot;
  readonly realm: Realm;
  readonly bundle: LoadedBundle;
}

/** What the slots need to know about the process they are in. */
export interface SlotOptions {
  readonly prelude: GuestScript;
  readonly manifest: string;
  /** A post out of some realm of `slot`; the execution is the one whose turn it is. */
  onPost(slot: Slot, ...post: Parameters<OnPost>): void;
  onStuck(slot: Slot, message: string): void;
}

/** What one execution asks for. */
export interface SeatRequest {
  readonly run: number;
  readonly key: string;
  readonly isolation: Isolation;
  readonly memoryMb: number;
  /** True for describe: a fresh isolate, but hardened, to find out whether the bundle can live so. */
  readonly trial: boolean;
  readonly bundle: GuestScript;
}

/** Gives executions their realm and takes it back. */
export interface Slots {
  seat(request: SeatRequest): Promise<Seat>;
  /** Gives the execution's place back; its isolate is disposed or kept warm. */
  leave(seat: Seat, run: number): void;
  /** Takes a slot out of use; its isolate is disposed. */
  close(slot: Slot): void;
  /** Prepares isolates and realms; called when nothing else is to do. One piece of work per call. */
  refill(): boolean;
}

interface Warm {
  readonly box: IsolateBox;
  readonly realm: Realm;
  readonly home: { slot: Slot | null };
  readonly memoryMb: number;
}

const MAX_SHARING = 64;
const MAX_WARM_SLOTS = 256;
const MAX_SPARES = 8;
const MAX_WARM = 12;

/** Creates the slots of this process. */
export function createSlots(options: SlotOptions): Slots {
  const byKey = new Map<string, Slot[]>();
  /** Frozen and context slots without executions, least recently used first. */
  const idle = new Set<Slot>();
  const warm: { open: Warm[]; hardened: Warm[] } = { open: [], hardened: [] };
  const wanted = { open: 2, hardened: 2 };
  let memoryMb = 128;
  const thirsty = new Set<Slot>();

  const make = (mb: number, hardened: boolean): Warm => {
    const home: { slot: Slot | null } = { slot: null };
    const box = createIsolate(mb, (message) => home.slot !== null && options.onStuck(home.slot, message));
    const realm = box.createRealm(options.prelude, options.manifest, postsTo(home));
    if (hardened) realm.harden();
    return { box, realm, home, memoryMb: mb };
  };

  const postsTo =
    (home: { slot: Slot | null }): OnPost =>
    (kind, n, name, text, more) => {
      if (home.slot !== null) options.onPost(home.slot, kind, n, name, text, more);
    };

  const take = (mb: number, hardened: boolean): Warm => {
    memoryMb = mb;
    const kind = hardened ? "hardened" : "open";
    const found = warm[kind].findIndex((item) => item.memoryMb === mb);
    if (found < 0) {
      wanted[kind] = Math.min(MAX_WARM, wanted[kind] + 1);
      return make(mb, hardened);
    }
    return warm[kind].splice(found, 1)[0] as Warm;
  };

  const open = (request: SeatRequest, hardened: boolean): { slot: Slot; first: Promise<Seat> } => {
    const { box, realm, home } = take(request.memoryMb, hardened);
    const { key, isolation } = request;
    const slot: Slot = {
      key,
      isolation,
      lane: createLane(box),
      runs: new Set(),
      spares: [],
      shared: null,
      closed: false,
    };
    home.slot = slot;
    return { slot, first: seatIn(slot, realm, request.bundle) };
  };

  const seatIn = async (slot: Slot, realm: Realm, script: GuestScript): Promise<Seat> => {
    const bundle = await realm.load(script);
    return { slot, realm, bundle };
  };

  const spareIn = (slot: Slot, script: GuestScript): Promise<Seat> => {
    const realm = slot.lane.box.createRealm(options.prelude, options.manifest, postsTo({ slot }));
    return seatIn(slot, realm, script);
  };

  const scripts = new WeakMap<Slot, GuestScript>();

  const sharedSlot = (request: SeatRequest): { slot: Slot; first: Promise<Seat> | null } => {
    const name = `${request.isolation}:${request.memoryMb}:${request.key}`;
    const list = byKey.get(name) ?? [];
    byKey.set(name, list);
    const found = list.find((slot) => !slot.closed && slot.runs.size < MAX_SHARING);
    if (found !== undefined) {
      idle.delete(found);
      return { slot: found, first: null };
    }
    const made = open({ ...request, key: name }, request.isolation === "frozen");
    scripts.set(made.slot, request.bundle);
    list.push(made.slot);
    return made;
  };

  const contextSeat = (slot: Slot, first: Promise<Seat> | null, script: GuestScript): Promise<Seat> => {
    thirsty.add(slot);
    return first ?? slot.spares.shift() ?? spareIn(slot, script);
  };

  const closeSlot = (slot: Slot) => {
    slot.closed = true;
    idle.delete(slot);
    thirsty.delete(slot);
    const list = byKey.get(slot.key);
    if (list !== undefined) {
      const rest = list.filter((other) => other !== slot);
      if (rest.length === 0) byKey.delete(slot.key);
      else byKey.set(slot.key, rest);
    }
    slot.lane.box.dispose();
  };

  const evict = () => {
    while (idle.size > MAX_WARM_SLOTS) closeSlot(idle.values().next().value as Slot);
  };

  const refillSpare = (): boolean => {
    for (const slot of thirsty) {
      const script = scripts.get(slot);
      if (slot.closed || script === undefined || slot.spares.length >= Math.min(MAX_SPARES, slot.runs.size + 2)) {
        thirsty.delete(slot);
        continue;
      }
      const spare = spareIn(slot, script);
      spare.catch(() => undefined);
      slot.spares.push(spare);
      return true;
    }
    return false;
  };

  return {
    async seat(request) {
      if (request.trial || request.isolation === "isolate") {
        const { slot, first } = open(request, request.trial);
        slot.runs.add(request.run);
        return first;
      }
      const { slot, first } = sharedSlot(request);
      slot.runs.add(request.run);
      if (slot.isolation === "context") return contextSeat(slot, first, request.bundle);
      slot.shared ??= first;
      return slot.shared as Promise<Seat>;
    },
    leave({ slot, realm }, run) {
      slot.runs.delete(run);
      if (slot.closed) return;
      if (!byKey.has(slot.key)) closeSlot(slot);
      else {
        if (slot.isolation === "context") realm.release();
        if (slot.runs.size === 0) idle.add(slot);
        evict();
      }
    },
    close: closeSlot,
    refill() {
      for (const kind of ["hardened", "open"] as const) {
        if (warm[kind].length >= wanted[kind]) continue;
        warm[kind].push(make(memoryMb, kind === "hardened"));
        return true;
      }
      return refillSpare();
    },
  };
}
