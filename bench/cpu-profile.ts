/** One function of a profile, by its own time. */
export interface Cost {
  /** `name file:line`, or V8's own word such as `(garbage collector)`. */
  readonly name: string;
  readonly ms: number;
  /** Of the time in which the thread was not idle, 0 to 1. */
  readonly share: number;
}

/** Where a thread has spent its time. */
export interface ThreadProfile {
  readonly file: string;
  readonly busyMs: number;
  /** The most expensive first. */
  readonly costs: readonly Cost[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** What V8 writes with --cpu-prof. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  /** Microseconds between samples. */
  readonly timeDeltas: readonly number[];
}

/** What `node --prof-process --preprocess` makes of a log of --prof. */
export interface TickLog {
  readonly code: readonly { readonly name: string; readonly type: string }[];
  /** `s`: pairs of an index into `code`, innermost first, and an address. An idle thread has none. */
  readonly ticks: readonly { readonly s: readonly number[] }[];
}

/** V8's interval of ticks, µs. */
const TICK_MICROS = 1_000;
const IDLE = new Set(["(idle)", "(root)"]);
const PROJECT = /^.*\/(?=(node_modules|src|runtime|sandbox|bench)\/)/;

/** Costs by name, of what was counted in microseconds. */
function toThreadProfile(file: string, micros: ReadonlyMap<string, number>): ThreadProfile {
  const busy = [...micros].filter(([name]) => !IDLE.has(name));
  const total = busy.reduce((sum, [, own]) => sum + own, 0);
  const costs = busy
    .map(([name, own]) => ({ name, ms: own / 1_000, share: own / total }))
    .sort((one, other) => other.ms - one.ms);
  return { file, busyMs: total / 1_000, costs };
}

function add(micros: Map<string, number>, name: string, own: number): void {
  micros.set(name, (micros.get(name) ?? 0) + own);
}

function nameOf({ functionName, url, lineNumber }: CallFrame): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  return url === "" ? name : `${name} ${url.replace(PROJECT, "")}:${lineNumber + 1}`;
}

/** Own times of the functions of a thread. */
export function readCpuProfile(file: string, { nodes, samples, timeDeltas }: CpuProfile): ThreadProfile {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const micros = new Map<string, number>();
  samples.forEach((id, index) => {
    add(micros, names.get(id) ?? "(unknown)", timeDeltas[index] ?? 0);
  });
  return toThreadProfile(file, micros);
}

/** Own times of the functions of a host's main thread, machine code of libraries included. */
export function readTickLog(file: string, { code, ticks }: TickLog): ThreadProfile {
  const micros = new Map<string, number>();
  for (const { s } of ticks) {
    const innermost = code[s[0] ?? -1];
    add(micros, innermost === undefined ? "(unknown)" : innermost.name.replace(PROJECT, ""), TICK_MICROS);
  }
  return toThreadProfile(file, micros);
}
