import { Cron } from "croner";

/** When a schedule is due: `cron` is read on the clocks of `timezone` (an IANA name) and stops at `endAt`. */
export interface CronRule {
  readonly cron: string;
  readonly timezone: string;
  /** Milliseconds since the epoch; no slot at or after it. Null = never. */
  readonly endAt: number | null;
}

/** Longest cron text. */
const MAX_CRON = 200;
/** Parsed rules kept in memory: parsing one takes longer than finding its next slot. */
const MAX_PARSED = 500;
const FORM = /^(@\w+|\S+(\s+\S+){4,6})$/;
/** What Intl takes besides names: offsets. */
const OFFSET = /^[+-]|^$/;

const parsed = new Map<string, Cron>();

function parse(cron: string, timezone: string): Cron {
  const key = `${timezone}\n${cron}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const made = new Cron(cron, { timezone, paused: true });
  if (parsed.size >= MAX_PARSED) parsed.clear();
  parsed.set(key, made);
  return made;
}

/** What is wrong with a time zone, or null. */
export function timezoneProblem(timezone: string): string | null {
  const rule = 'an IANA time zone such as "Europe/Berlin" or "UTC"';
  if (OFFSET.test(timezone)) return rule;
  try {
    new Intl.DateTimeFormat("en", { timeZone: timezone });
    return null;
  } catch {
    return rule;
  }
}

/** What is wrong with a cron text in a time zone that is known, or null. */
export function cronProblem(cron: string, timezone: string): string | null {
  const rule = `a cron text of five fields (six with seconds), such as "0 7 * * 1-5", or a word such as "@daily"`;
  if (cron.length > MAX_CRON) return `${rule}, of at most ${MAX_CRON} characters`;
  if (!FORM.test(cron.trim())) return rule;
  try {
    parse(cron, timezone);
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^Cron\w+: /, "") : "";
    return `${rule} (${reason})`;
  }
}

/** The first slot after a time; null when there is none. Times are milliseconds since the epoch. */
export function nextSlot({ cron, timezone, endAt }: CronRule, after: number): number | null {
  const found = parse(cron, timezone).nextRun(new Date(after))?.getTime() ?? null;
  return found === null || (endAt !== null && found >= endAt) ? null : found;
}

/** Up to `max` slots before a time, newest first. */
export function slotsBefore({ cron, timezone, endAt }: CronRule, before: number, max: number): readonly number[] {
  const from = endAt === null ? before : Math.min(before, endAt);
  return parse(cron, timezone)
    .previousRuns(max, new Date(from))
    .map((slot) => slot.getTime());
}

/** The next `max` slots after a time, oldest first. */
export function nextSlots(rule: CronRule, after: number, max: number): readonly number[] {
  const slots: number[] = [];
  for (let slot = nextSlot(rule, after); slot !== null && slots.length < max; slot = nextSlot(rule, slot)) {
    slots.push(slot);
  }
  return slots;
}
