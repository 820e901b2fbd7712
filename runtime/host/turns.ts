import type { IsolateBox, TurnEnd } from "./isolate.ts";

/** One turn waiting for its isolate. */
export interface Turn {
  readonly run: number;
  readonly turnMs: number;
  /** What is left of the run's CPU budget, ms. */
  budgetMs(): number;
  start(timeoutMs: number): Promise<TurnEnd>;
  /** Called once the turn has returned; `activeMs` is the time it spent in the isolate. */
  ended(end: TurnEnd, activeMs: number): void;
}

/** Turns of one isolate: one at a time, in order. */
export interface Lane {
  readonly box: IsolateBox;
  readonly waiting: Turn[];
  running: RunningTurn | null;
}

/** The turn an isolate is in. */
export interface RunningTurn {
  readonly turn: Turn;
  readonly startedAt: number;
  readonly cpuAtStart: number;
  readonly limitMs: number;
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
  add(lane: Lane, turn: Turn): void;
  /** Number of turns running now. */
  busy(): number;
  /** CPU share of a running or just ended turn, ms: an upper bound of what the guest itself burned. */
  cpuShareMs(running: RunningTurn): number;
}

const WATCH_MS = 25;
const LATE_MS = 150;
/** A terminated turn has this long to return. */
const GRACE_MS = 300;

const processCpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** A fresh lane over an isolate. */
export function createLane(box: IsolateBox): Lane {
  return { box, waiting: [], running: null };
}

/** Creates the scheduler; `maxBusy` bounds the isolated-vm threads in use. */
export function createTurnScheduler(maxBusy: number, events: TurnEvents): TurnScheduler {
  const ready: Lane[] = [];
  const running = new Set<RunningTurn>();
  let watch: NodeJS.Timeout | null = null;

  const share = (turn: RunningTurn) => (processCpuMs() - turn.cpuAtStart) / turn.mostBeside;

  let lastLook = 0;
  /** As of the last look: asking the system at every turn would cost more than a short turn. */
  let cpuMs = processCpuMs();
  const look = () => {
    const now = performance.now();
    cpuMs = processCpuMs();
    const late = now - lastLook > LATE_MS;
    lastLook = now;
    // After a pause of the machine, turns that have long returned may still be to be told.
    if (late) return;
    for (const turn of running) if (now - turn.startedAt > turn.limitMs + GRACE_MS) events.stuck(turn.turn.run);
    if (running.size === 0 && watch !== null) {
      clearInterval(watch);
      watch = null;
    }
  };

  const finish = (lane: Lane, turn: RunningTurn, end: TurnEnd, activeBefore: number) => {
    running.delete(turn);
    turn.turn.ended(end, Math.max(0, lane.box.activeMs() - activeBefore));
    lane.running = null;
    if (lane.waiting.length > 0) ready.push(lane);
    pump();
    if (running.size === 0 && ready.length === 0) events.idle();
  };

  const begin = (lane: Lane, turn: Turn) => {
    const limitMs = Math.max(1, Math.ceil(Math.min(turn.turnMs, turn.budgetMs())));
    const state: RunningTurn = {
      turn,
      startedAt: performance.now(),
      cpuAtStart: cpuMs,
      limitMs,
      mostBeside: running.size + 1,
    };
    running.add(state);
    for (const other of running) other.mostBeside = Math.max(other.mostBeside, running.size);
    lane.running = state;
    const activeBefore = lane.box.activeMs();
    turn.start(limitMs).then((end) => finish(lane, state, end, activeBefore));
    watch ??= setInterval(look, WATCH_MS);
  };

  const pump = () => {
    while (running.size < maxBusy) {
      const lane = ready.shift();
      if (lane === undefined) return;
      const turn = lane.waiting.shift();
      if (turn !== undefined && lane.running === null) begin(lane, turn);
    }
  };

  return {
    add(lane, turn) {
      lane.waiting.push(turn);
      if (lane.running === null && lane.waiting.length === 1) ready.push(lane);
      pump();
    },
    busy: () => running.size,
    cpuShareMs: share,
  };
}
