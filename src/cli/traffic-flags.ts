import type { Flag, Options } from "./command.ts";
import { limitOf } from "./seconds.ts";

/** Flags of limits, of keys and of accounts. */
export const TRAFFIC_FLAGS: readonly Flag[] = [
  { flags: "--requests-per-minute <count>", about: "requests in a minute, or none" },
  { flags: "--concurrency <count>", about: "requests open at the same time, or none" },
];

/** The members of a body that the flags name. */
export function trafficOf(options: Options): Readonly<Record<string, number | null>> {
  const perMinute = options.text("requestsPerMinute");
  const concurrency = options.text("concurrency");
  return {
    ...(perMinute === undefined ? {} : { requests_per_minute: limitOf("requests-per-minute", perMinute) }),
    ...(concurrency === undefined ? {} : { concurrency: limitOf("concurrency", concurrency) }),
  };
}

/** Limits as a list shows them. */
export function showTraffic(item: Readonly<Record<string, unknown>>): string {
  const perMinute = item["requests_per_minute"];
  const concurrency = item["concurrency"];
  const shown = [
    ...(typeof perMinute === "number" ? [`${perMinute}/min`] : []),
    ...(typeof concurrency === "number" ? [`${concurrency} open`] : []),
  ];
  return shown.join(", ") || "none";
}
