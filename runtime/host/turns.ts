import { type IsolateBox, type TurnEnd, UNWATCHED } from "./isolate.ts";

/** One turn waiting for its isolate. */
export interface Turn {
  readonly run: number;
  readonly turnMs: number;
  /** What is left of the run's CPU budget, ms. */
  budgetMs(): number;
  /** Resolves when it has returned; with {@link UNWATCHED} it need not be waited for. */
  start(timeoutMs: number, watched: boolean): TurnEnd | Promise<TurnEnd>;
  /** Called once the turn has returned, but not when it was unwatched; `activeMs` is the time that it, and the unwatched ones before it, spent in the isolate. */
  ended(end: TurnEnd, activeMs: number): void;
}

/** Turns of one isolate: one at a time, in order. */
export interface Lane {
  readonly box: IsolateBox;
  readonly waiting: Turn[];
  running: RunningTurn | null;
  /** What must be done in the isolate while no turn runs in it. */
  readonly errands: (() => void)[];
  /** How many turns of one run the isolate is given at once: more while they are short. */
  batch: number;
}

/** The turn an isolate is in; in a batch, the first one that has not returned. */
export interface RunningTurn {
  readonly turn: Turn;
  readonly turnLimitMs: number;
  /** When to hear of it at the latest, ms from {@link RunningTurn.startedAt}. */
  limitMs: number;
  /** True when unwatched turns come before the one that is watched next. */
  hasUnwatched: boolean;
  /** When the batch was handed to the isolate, ms of `performance.now()`. */
  readonly begunAt: number;
  /** The same, or when this thread last heard of it. */
  startedAt: number;
  cpuAtStart: number;
  /** Most turns that ran beside it at once, itself included. */
  mostBeside: number;
}

/** What the scheduler tells the host. */
export interface TurnEvents {
  /** A turn ignores its termination: the process must be replaced. */
  stuck(run: number): void;
  /** Nothing waits and nothing runs: time for work off the request path. */
  idle(): void;
}

/** Runs turns of many isolates with a bounded number at once and watches them. */
export interface TurnScheduler {
  add(lane: Lane, ...turns: readonly Turn[]): void;
  /** Number of turns running now. */
  busy(): number;
  /** CPU share of a running or just ended turn, ms: an upper bound of what the guest itself burned. */
  cpuShareMs(running: RunningTurn): number;
}

const WATCH_MS = 25;
const LATE_MS = 150;
/** A terminated turn has this long to return. */
const GRACE_MS = 300;

/** Waking an isolate's thread costs more than a short turn: so many wait there at the most. */
const MAX_BATCH = 64;
/** One of so many turns is watched. */
const MAX_UNWATCHED = 8;
/** A batch over this many ms makes the next one smaller. */
const LONG_BATCH_MS = 8;

const processCpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** A fresh lane over an isolate. */
export function createLane(box: IsolateBox): Lane {
  return { box, waiting: [], running: null, errands: [], batch: 1 };
}

/** Does something in a lane's isolate on this thread: at once, or before its next turn when one is running. */
export function whenFree(lane: Lane, errand: () => void): void {
  if (lane.running === null) errand();
  else lane.errands.push(errand);
}

/** Takes the next turn out of a lane, and those of the same run right behind it as far as its batch allows. */
function takeBatch({ waiting, batch }: Lane): Turn[] {
  const first = waiting[0];
  // Near the end of its CPU budget a run is stopped to the millisecond: one turn at a time.
  const most = first === undefined || first.budgetMs() < first.turnMs ? 1 : batch;
  let count = 1;
  while (count < most && waiting[count]?.run === first?.run) count++;
  return waiting.splice(0, count);
}

/** Begins the turns of a batch. Each keeps a limit of its own, and its microtasks end before the next one begins. */
function startAll(turns: readonly Turn[], limitMs: number): readonly (TurnEnd | Promise<TurnEnd>)[] {
  return turns.map((turn, i) => turn.start(limitMs, (i + 1) % MAX_UNWATCHED === 0 || i + 1 === turns.length));
}

/**
 * True when an unwatched turn may have been stopped: as much time has passed as one may take. It is counted from the
 * beginning of the batch, since the isolate goes on before this thread hears of a watched turn.
 */
export function isLate({ hasUnwatched, begunAt, turnLimitMs }: RunningTurn): boolean {
  return hasUnwatched && performance.now() - begunAt >= turnLimitMs;
}

/** What a watched turn's end says: when it is late, whose fault that is only a replay can tell in which each turn is watched. */
function judge(end: TurnEnd, late: boolean, isOver: boolean): TurnEnd {
  if (late && end.status !== "memory" && end.status !== "disposed") return { status: "slow" };
  return isOver && end.status === "ok" ? { status: "timeout" } : end;
}

/** Tells the turns of a batch their ends, one by one; the last is the one that passes the run's budget. Resolves to the time they took, ms. */
async function follow(lane: Lane, state: RunningTurn, turns: readonly Turn[], cpuMs: () => number): Promise<number> {
  const activeBefore = lane.box.activeMs();
  const budgetMs = state.turn.budgetMs();
  const ends = startAll(turns, state.turnLimitMs);
  // Nothing is heard of so many.
  if (ends.includes(UNWATCHED)) state.limitMs *= MAX_UNWATCHED;
  let told = 0;
  for (const [i, turn] of turns.entries()) {
    const begun = ends[i];
    if (begun === UNWATCHED) {
      state.hasUnwatched = true;
      continue;
    }
    const end = (await begun) as TurnEnd;
    const spent = Math.max(told, lane.box.activeMs() - activeBefore);
    turn.ended(judge(end, isLate(state), i + 1 < turns.length && spent > budgetMs), spent - told);
    told = spent;
    state.hasUnwatched = false;
    state.startedAt = performance.now();
    state.cpuAtStart = cpuMs();
  }
  return told;
}

interface Watch {
  /** CPU time of the process at the last look: asking the system at every turn would cost more than a short turn. */
  cpuMs(): number;
  /** Looks on while a turn runs. */
  begin(): void;
}

/** Looks at the running turns again and again: one that ignores its termination is reported as stuck. */
function createWatch(running: ReadonlySet<RunningTurn>, stuck: TurnEvents["stuck"]): Watch {
  let timer: NodeJS.Timeout | null = null;
  let lastLook = 0;
  let cpuMs = processCpuMs();
  const look = () => {
    const now = performance.now();
    cpuMs = processCpuMs();
    const late = now - lastLook > LATE_MS;
    lastLook = now;
    // After a pause of the machine, turns that have long returned may still be to be told.
    if (late) return;
    for (const { startedAt, limitMs, turn } of running) if (now - startedAt > limitMs + GRACE_MS) stuck(turn.run);
    if (running.size === 0 && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
  };
  return {
    cpuMs: () => cpuMs,
    begin() {
      timer ??= setInterval(look, WATCH_MS);
    },
  };
}

/** Creates the scheduler; `maxBusy` bounds the isolated-vm threads in use. */
export function createTurnScheduler(maxBusy: number, events: TurnEvents): TurnScheduler {
  const ready: Lane[] = [];
  const running = new Set<RunningTurn>();
  const watch = createWatch(running, events.stuck);

  const finish = (lane: Lane, turn: RunningTurn, activeMs: number) => {
    running.delete(turn);
    lane.batch = activeMs > LONG_BATCH_MS ? Math.ceil(lane.batch / 2) : Math.min(lane.batch * 2, MAX_BATCH);
    lane.running = null;
    for (const errand of lane.errands.splice(0)) errand();
    if (lane.waiting.length > 0) ready.push(lane);
    pump();
    if (running.size === 0 && ready.length === 0) events.idle();
  };

  const begin = async (lane: Lane, turns: readonly Turn[], turn: Turn) => {
    const limitMs = Math.max(1, Math.ceil(Math.min(turn.turnMs, turn.budgetMs())));
    const begunAt = performance.now();
    const state = {
      turn,
      ...{ turnLimitMs: limitMs, limitMs, hasUnwatched: false, begunAt, startedAt: begunAt },
      cpuAtStart: watch.cpuMs(),
      mostBeside: running.size + 1,
    };
    running.add(state);
    for (const other of running) other.mostBeside = Math.max(other.mostBeside, running.size);
    lane.running = state;
    watch.begin();
    finish(lane, state, await follow(lane, state, turns, watch.cpuMs));
  };

  const pump = () => {
    while (running.size < maxBusy) {
      const lane = ready.shift();
      if (lane === undefined) return;
      if (lane.running !== null) continue;
      const turns = takeBatch(lane);
      if (turns[0] !== undefined) begin(lane, turns, turns[0]);
    }
  };

  return {
    add(lane, ...turns) {
      if (lane.running === null && lane.waiting.length === 0) ready.push(lane);
      lane.waiting.push(...turns);
      pump();
    },
    busy: () => running.size,
    cpuShareMs: ({ cpuAtStart, mostBeside }) => (processCpuMs() - cpuAtStart) / mostBeside,
  };
}
