import { installLazy, once } from "./lazy.ts";
import { type Level, line, show } from "./log.ts";
import { join, push } from "./primordials.ts";

function write(level: Level, before: string, values: readonly unknown[]): void {
  const parts: string[] = [];
  for (let i = 0; i < values.length; i++) push(parts, show(values[i]));
  line(level, before + join(parts, " "), "");
}

const consoleAt =
  (level: Level) =>
  (...values: unknown[]) =>
    write(level, "", values);

const ignore = () => undefined;

const consoleObject = once(() => ({
  log: consoleAt("info"),
  info: consoleAt("info"),
  debug: consoleAt("debug"),
  trace: consoleAt("debug"),
  dir: consoleAt("info"),
  table: consoleAt("info"),
  warn: consoleAt("warn"),
  error: consoleAt("error"),
  assert: (condition: unknown, ...values: unknown[]) => {
    if (!condition) write("error", "Assertion failed: ", values);
  },
  group: consoleAt("info"),
  groupCollapsed: consoleAt("info"),
  groupEnd: ignore,
  time: ignore,
  timeLog: ignore,
  timeEnd: ignore,
  count: ignore,
  countReset: ignore,
}));

/** Installs console: every method writes a log line. */
export function installConsole(global: object): void {
  installLazy(global, "console", consoleObject);
}
