import { clock, current, random, randomFloat } from "./execution.ts";
import {
  bytesOf,
  construct,
  defineEarly,
  getOwnPropertyDescriptor,
  NativeDate,
  NativeRangeError,
  NativeWeakMap,
  placeOf,
  reflectApply,
  weakGet,
  weakSet,
} from "./primordials.ts";
import { fillRandom, randomUuid } from "./random.ts";
import { READ } from "./wire.ts";

type Callable = (...args: never[]) => unknown;

/** Defines a member the way built-ins are, writable and not enumerable, before any guest code runs. */
export function install(target: object, name: PropertyKey, value: unknown): void {
  defineEarly(target, name, { value, writable: true, configurable: true, enumerable: false });
}

function installDate(global: object): void {
  const toText = NativeDate.prototype.toString;
  function DateShim(this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return reflectApply(toText, new NativeDate(clock()), []);
    return construct(NativeDate, args.length === 0 ? [clock()] : args, new.target);
  }
  defineEarly(DateShim, "name", { value: "Date" });
  defineEarly(DateShim, "length", { value: 7 });
  defineEarly(DateShim, "prototype", { value: NativeDate.prototype, writable: false });
  install(DateShim, "now", { now: () => clock() }.now);
  install(DateShim, "parse", NativeDate.parse);
  install(DateShim, "UTC", NativeDate.UTC);
  install(NativeDate.prototype, "constructor", DateShim);
  install(global, "Date", DateShim);
}

/** Intl.DateTimeFormat formats "now" when called without a date: give it the execution's clock. Not part of every boot. */
export function installIntl(): void {
  // Its objects are not counted by the heap limit and large.
  Reflect.deleteProperty(Intl, "Segmenter");
  const prototype = Intl.DateTimeFormat.prototype;
  const getter = getOwnPropertyDescriptor(prototype, "format")?.get as Callable;
  const bound = new NativeWeakMap<object, Callable>();
  defineEarly(prototype, "format", {
    configurable: true,
    enumerable: false,
    get: function format(this: object) {
      let found = weakGet(bound, this) as Callable | undefined;
      if (found === undefined) {
        const native = reflectApply(getter, this, []) as (date: unknown) => string;
        found = ((date: unknown) => native(date === undefined ? clock() : date)) as Callable;
        weakSet(bound, this, found);
      }
      return found;
    },
  });
  const toParts = prototype.formatToParts;
  install(
    prototype,
    "formatToParts",
    {
      formatToParts(this: object, date?: unknown) {
        return reflectApply(toParts, this, [date === undefined ? clock() : date]);
      },
    }.formatToParts,
  );
}

interface TemporalLike {
  readonly Now: object;
  readonly Instant: { fromEpochMilliseconds(ms: number): { toZonedDateTimeISO(zone: unknown): ZonedLike } };
}
interface ZonedLike {
  toPlainDate(): unknown;
  toPlainTime(): unknown;
  toPlainDateTime(): unknown;
}

/**
 * Gives Temporal.Now the execution's clock. Not part of every boot: reading the lazy global builds all of Temporal,
 * which costs more than the rest of the boot together.
 */
export function installTemporal(global: object): void {
  const temporal = (global as { Temporal?: TemporalLike }).Temporal;
  if (temporal === undefined) return;
  const { Instant, Now } = temporal;
  const zoned = (zone: unknown) =>
    Instant.fromEpochMilliseconds(clock()).toZonedDateTimeISO(zone === undefined ? "UTC" : zone);
  const methods = {
    instant: () => Instant.fromEpochMilliseconds(clock()),
    timeZoneId: () => "UTC",
    zonedDateTimeISO: (zone?: unknown) => zoned(zone),
    plainDateISO: (zone?: unknown) => zoned(zone).toPlainDate(),
    plainTimeISO: (zone?: unknown) => zoned(zone).toPlainTime(),
    plainDateTimeISO: (zone?: unknown) => zoned(zone).toPlainDateTime(),
  };
  install(Now, "instant", methods.instant);
  install(Now, "timeZoneId", methods.timeZoneId);
  install(Now, "zonedDateTimeISO", methods.zonedDateTimeISO);
  install(Now, "plainDateISO", methods.plainDateISO);
  install(Now, "plainTimeISO", methods.plainTimeISO);
  install(Now, "plainDateTimeISO", methods.plainDateTimeISO);
}

const MAX_RANDOM_BYTES = 65_536;

function installRandom(global: object): void {
  install(Math, "random", { random: () => randomFloat() }.random);
  const crypto = {
    getRandomValues<T extends ArrayBufferView>(view: T): T {
      const { bytes } = placeOf(view);
      if (bytes > MAX_RANDOM_BYTES) {
        throw new NativeRangeError(`crypto.getRandomValues: ${bytes} bytes asked, the limit is ${MAX_RANDOM_BYTES}`);
      }
      fillRandom(random(), bytesOf(view));
      return view;
    },
    randomUUID: () => randomUuid(random()),
  };
  install(global, "crypto", crypto);
}

function installPerformance(global: object): void {
  install(global, "performance", {
    now: () => clock() - current().startedAt,
    get timeOrigin() {
      const execution = current();
      execution.reads |= READ.clock;
      return execution.startedAt;
    },
    toJSON: () => ({}),
  });
}

/** Replaces every source of time and randomness by the execution's own, Temporal.Now and Intl apart. */
export function installDeterminism(global: object): void {
  installDate(global);
  installRandom(global);
  installPerformance(global);
}
