import { parse, View } from "vega";
import { type Config, compile, type TopLevelSpec } from "vega-lite";

/** How far a figure is on its way to its target: 1 = there, more = past it. */
export interface Attainment {
  readonly name: string;
  readonly share: number;
  readonly met: boolean;
}

/** One step of a series: how much there was, and what a call cost then, µs of CPU time. */
export interface Step {
  readonly x: number;
  readonly cpuMicros: number;
}

/** A ratio in one run. */
export interface PastRatio {
  readonly name: string;
  /** When it was measured, ms since the epoch. */
  readonly time: number;
  readonly ratio: number;
  /** The least or the most that it should be; null = no target. */
  readonly target: number | null;
}

/** Text and lines take the colour of the page's text, so that a plot is readable in light and dark. */
const INK = "currentColor";
const FAINT = "#8885";
const BLUE = "#3b82d6";
const GREEN = "#2a9d5c";
const RED = "#d6404a";
const TEXTS = {
  labelColor: INK,
  titleColor: INK,
  labelFontSize: 11,
  titleFontSize: 11,
  titleFontWeight: "normal",
} as const;
const CONFIG: Config = {
  background: "transparent",
  font: "system-ui, sans-serif",
  // The figures are in the table; a name for each mark would only make the page large.
  aria: false,
  axis: { ...TEXTS, tickColor: FAINT, domainColor: FAINT, gridColor: FAINT, labelLimit: 300 },
  header: { ...TEXTS, labelLimit: 300 },
  view: { stroke: FAINT },
};
/** Attainments beyond these are drawn at the edge. */
const EDGES: [number, number] = [0.1, 10];
const MARKS: number[] = [0.1, 0.2, 0.5, 1, 2, 5, 10];
const DAY_MS = 86_400_000;

async function toSvg(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec, { config: CONFIG }).spec), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** A line from the target to each figure, right of it when it is met, as SVG. */
export function plotTargets(attainments: readonly Attainment[]): Promise<string> {
  const clamp = (share: number) => Math.min(EDGES[1], Math.max(EDGES[0], share));
  const values = attainments.map(({ share, ...other }) => ({ ...other, share: clamp(share) }));
  const x = {
    field: "share",
    type: "quantitative",
    title: "× the target; right of the line is better, at an edge is beyond it",
    scale: { type: "log", domain: EDGES, nice: false },
    axis: { values: MARKS, format: "~g", labelFlush: false },
  } as const;
  const y = { field: "name", type: "nominal", sort: null, title: null } as const;
  const condition = { test: "datum.met", value: GREEN };
  const color = { condition, value: RED };
  const shape = { condition: { test: "datum.met", value: "circle" }, value: "cross" };
  return toSvg({
    width: 560,
    height: { step: 16 },
    data: { values },
    layer: [
      { mark: { type: "rule", strokeWidth: 2 }, encoding: { y, x, x2: { datum: 1 }, color } },
      { mark: { type: "point", filled: true, size: 50, opacity: 1 }, encoding: { y, x, color, shape } },
      { data: { values: [{}] }, mark: { type: "rule", color: INK }, encoding: { x: { datum: 1 } } },
    ],
  });
}

/** Cost against how much there was, as SVG. */
export function plotGrowth(steps: readonly Step[]): Promise<string> {
  const places = steps.map(({ x }) => x);
  const type = places.every((x) => x > 0) ? "log" : "symlog";
  return toSvg({
    width: 300,
    height: 160,
    data: { values: [...steps] },
    mark: { type: "line", point: { color: BLUE }, color: BLUE },
    encoding: {
      x: {
        field: "x",
        type: "quantitative",
        title: null,
        scale: { type, nice: false },
        axis: { values: places, format: "~s", labelOverlap: false, labelFlush: false },
      },
      y: {
        field: "cpuMicros",
        type: "quantitative",
        title: "CPU µs per call",
        scale: { zero: true },
        axis: { tickCount: 4 },
      },
    },
  });
}

/** Days on an axis, with the time of day where there are few. */
function timeFormat(times: readonly number[]): string {
  return Math.max(...times) - Math.min(...times) > 3 * DAY_MS ? "%d %b" : "%d %b %H:%M";
}

/** A small plot for each ratio over the runs, with its target as a dashed line, as SVG. */
export function plotRatios(ratios: readonly PastRatio[]): Promise<string> {
  const names = [...new Set(ratios.map(({ name }) => name))];
  const time = {
    field: "time",
    type: "temporal",
    title: null,
    scale: { type: "utc" },
    axis: { tickCount: 2, format: timeFormat(ratios.map(({ time: at }) => at)) },
  } as const;
  const ratio = {
    field: "ratio",
    type: "quantitative",
    title: null,
    scale: { zero: true },
    axis: { tickCount: 3 },
  } as const;
  return toSvg({
    data: { values: [...ratios] },
    facet: { field: "name", type: "nominal", sort: names, title: null },
    columns: 4,
    spec: {
      width: 190,
      height: 80,
      layer: [
        { mark: { type: "line", point: { color: BLUE }, color: BLUE }, encoding: { x: time, y: ratio } },
        {
          transform: [
            { filter: "datum.target !== null" },
            { aggregate: [{ op: "max", field: "target", as: "target" }] },
          ],
          mark: { type: "rule", strokeDash: [4, 3], color: INK },
          encoding: { y: { field: "target", type: "quantitative" } },
        },
      ],
    },
    resolve: { scale: { y: "independent" } },
  });
}
