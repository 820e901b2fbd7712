import { DEFAULT_LIMITS, fail, type Limits } from "../runtime/index.ts";
import { LIMIT_SENTENCES } from "./limit-sentences.ts";
import { SERVER_SETTINGS } from "./server-settings.ts";
import { type Setting, wholeNumber } from "./setting.ts";

const limitName = (key: string): string =>
  `WEFT_LIMIT_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

const isLimit = (key: string): key is keyof Limits => Object.hasOwn(LIMIT_SENTENCES, key);

const LIMIT_KEYS: readonly (keyof Limits)[] = Object.keys(LIMIT_SENTENCES).filter(isLimit);

const LIMIT_SETTINGS: ReadonlyMap<keyof Limits, Setting<number>> = new Map(
  LIMIT_KEYS.map((key) => {
    const [unit, sentence] = LIMIT_SENTENCES[key];
    return [key, wholeNumber({ name: limitName(key), fallback: String(DEFAULT_LIMITS[key]), unit, sentence }, 1)];
  }),
);

/** Every setting in the order of the help: the one list that help, README and parser are made from. */
export const SETTINGS: readonly Setting<unknown>[] = [...Object.values(SERVER_SETTINGS), ...LIMIT_SETTINGS.values()];

type Parsed = { readonly [K in keyof typeof SERVER_SETTINGS]: ReturnType<(typeof SERVER_SETTINGS)[K]["parse"]> };

/** The settings of one server, parsed once; nothing is optional. */
export interface Settings extends Parsed {
  readonly limits: Limits;
  /** The environment that the models file may name keys in. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

function refuseUnknown(environment: Settings["environment"]): void {
  const known = new Set(SETTINGS.map((setting) => setting.name));
  const unknown = Object.keys(environment).find((name) => name.startsWith("WEFT_") && !known.has(name));
  if (unknown !== undefined)
    throw fail("INVALID_REQUEST", { message: `${unknown}: there is no such setting`, setting: unknown });
}

/** Parses the environment into settings; throws INVALID_REQUEST naming the variable, the rule and the value. */
export function parseSettings(environment: Settings["environment"]): Settings {
  refuseUnknown(environment);
  const read = <T>(setting: Setting<T>): T => setting.parse(environment[setting.name] || setting.fallback);
  const entries = Object.entries(SERVER_SETTINGS).map(([key, setting]) => [key, read<unknown>(setting)]);
  const limits = Object.fromEntries([...LIMIT_SETTINGS].map(([key, setting]) => [key, read(setting)]));
  // Object.fromEntries loses which value belongs to which key; both lists above name every one of them.
  const parsed = Object.fromEntries(entries) as Parsed;
  return Object.freeze({
    ...parsed,
    limits: Object.freeze(limits as unknown as Limits),
    environment: Object.freeze({ ...environment }),
  });
}
