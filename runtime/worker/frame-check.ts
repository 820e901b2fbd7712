import { FROM_HOST } from "../../sandbox/wire.ts";

type Check = (field: string) => boolean;

/** True for the text of a whole number. */
export const isWhole: Check = (field) => /^-?\d{1,16}$/.test(field) && Number.isSafeInteger(Number(field));
const isCount: Check = (field) => field[0] !== "-" && isWhole(field);
const isFlag: Check = (field) => field === "0" || field === "1";
const isCode: Check = (field) => field === "CPU_LIMIT_EXCEEDED" || field === "MEMORY_LIMIT_EXCEEDED";
const isHash: Check = (field) => field.length > 0 && field.length <= 1_000;
const isRuns: Check = (field) => field === "" || field.split(",").every(isCount);
/** A realm wrote it: its execution answers for what is in it. */
const isAny: Check = () => true;

const FROM_REALM = [isCount, isWhole, isAny, isAny, isAny];
const ENDING = [isCount, isWhole, isAny];

/** The fields that follow each letter. */
const SHAPES: ReadonlyMap<string, readonly Check[]> = new Map([
  [FROM_HOST.ready, []],
  [FROM_HOST.need, [isHash]],
  [FROM_HOST.op, FROM_REALM],
  [FROM_HOST.drop, FROM_REALM],
  [FROM_HOST.chunk, FROM_REALM],
  [FROM_HOST.many, [isCount, isAny]],
  [FROM_HOST.log, FROM_REALM],
  [FROM_HOST.done, ENDING],
  [FROM_HOST.failed, ENDING],
  [FROM_HOST.turn, [isCount, isCount]],
  [FROM_HOST.step, [isCount]],
  [FROM_HOST.died, [isCount, isCode, isFlag, isRuns]],
  [FROM_HOST.poisoned, [isCount, isCode]],
  [FROM_HOST.heartbeat, [isCount]],
]);
/** Letters whose first field is a run. */
const OF_RUN = new Set<string>(
  Object.values(FROM_HOST).filter(
    (letter) => letter !== FROM_HOST.need && letter !== FROM_HOST.heartbeat && letter !== FROM_HOST.ready,
  ),
);

/** True for a frame that a host which is still ours could have sent, when `lastRun` is the newest run it was given. */
export function isHonestFrame(fields: readonly string[], lastRun: number): boolean {
  const [letter = "", first = ""] = fields;
  const shape = SHAPES.get(letter);
  if (shape?.length !== fields.length - 1) return false;
  if (!shape.every((check, at) => check(fields[at + 1] as string))) return false;
  return !OF_RUN.has(letter) || Number(first) <= lastRun;
}
