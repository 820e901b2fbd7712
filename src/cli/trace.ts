import { type Api, runPath } from "./api.ts";
import { type Command, type CommandCall, firstArg } from "./command.ts";
import { asNumber, asRecord, asRecords, asText, type JsonRecord } from "./json.ts";
import { readRun } from "./logs.ts";
import { showCost, showEnding, showSpan, showTokens } from "./run-facts.ts";
import { table } from "./table.ts";

const PAGE = 1_000;
const BAR = 32;

interface Bar {
  readonly span: JsonRecord;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

async function readSpans(api: Api, id: string, maxBytes: number): Promise<readonly JsonRecord[]> {
  const spans: JsonRecord[] = [];
  for (let from: number | null = 0; from !== null; ) {
    const page = asRecord(await api.call(runPath(id, `/trace?from=${from}&limit=${PAGE}&max_bytes=${maxBytes}`)));
    spans.push(...asRecords(page["data"]));
    from = asNumber(asRecord(page["pagination"])["next_from"]);
  }
  return spans;
}

function toBar(span: JsonRecord, now: number): Bar {
  const end = (asNumber(span["delivered_at"]) ?? now / 1_000) * 1_000;
  const started = asNumber(span["started_at"]);
  const from = started === null ? end : started * 1_000;
  const took = asNumber(span["duration_ms"]);
  return { span, from, to: took === null ? Math.max(from, end) : from + took };
}

/** The time of a span within that of all; at least one mark, so that every call is seen. */
function draw({ from, to, span }: Bar, start: number, length: number, call: CommandCall): string {
  const at = Math.min(BAR - 1, Math.floor(((from - start) / length) * BAR));
  const width = Math.max(1, Math.min(BAR - at, Math.round(((to - from) / length) * BAR)));
  // Colours would count as width, so that whoever watches gets another mark for what failed.
  const failed = span["status"] === "failed";
  const mark = call.io.interactive ? (failed ? "░" : "█") : failed ? "x" : "#";
  return " ".repeat(at) + mark.repeat(width);
}

function linesOf(bars: readonly Bar[], call: CommandCall): readonly string[] {
  const sorted = bars.toSorted((a, b) => a.from - b.from);
  const start = sorted[0]?.from ?? 0;
  const length = sorted.reduce((most, { to }) => Math.max(most, to - start), 1);
  const rows = sorted.map((bar) => {
    const { span, from, to } = bar;
    const usage = asRecord(span["usage"]);
    const model = asText(span["model"]);
    const name = `${asText(span["name"])}${model === null ? "" : ` ${model}`}`;
    const took = span["status"] === "running" ? "running" : showSpan(span["duration_ms"] ?? to - from);
    const child = asText(span["child_run"]) ?? asText(asRecord(span["error"])["message"]) ?? "";
    const cells = [
      String(asNumber(span["position"]) ?? ""),
      name,
      draw(bar, start, length, call),
      showSpan(from - start),
    ];
    return [...cells, took, showTokens(usage), showCost(usage["cost_usd"]), child.slice(0, 60)];
  });
  const heading = ["#", "call", "time".padEnd(BAR), "at", "took", "tokens", "cost", ""];
  return table(heading, rows, call.terminal);
}

/** `weft trace`: what an execution called, as a waterfall. */
export const trace: Command = {
  name: "trace",
  about: "show the ctx calls of an execution as a waterfall",
  args: [{ name: "execution", about: "execution id" }],
  flags: [{ flags: "--max-bytes <bytes>", about: "with --json: longest value, default 16384" }],
  examples: ["weft trace exec_0123456789abcdef0123456789abcdef"],
  async run(call) {
    const { terminal } = call;
    const api = await call.api();
    const id = firstArg(call);
    const asked = Number(call.options.text("maxBytes") ?? 16_384);
    const spans = await readSpans(api, id, call.json ? asked : 200);
    if (call.json) return terminal.print(JSON.stringify(spans));
    const run = await readRun(api, id);
    if (spans.length === 0) terminal.note("It made no calls that had to be recorded.");
    const now = Date.now();
    const bars = spans.map((span) => toBar(span, now));
    if (bars.length > 0) for (const line of linesOf(bars, call)) terminal.print(line);
    const usage = asRecord(run["usage"]);
    const sums = `${showSpan(run["duration_ms"])} · ${showTokens(usage)} tokens · ${showCost(usage["cost_usd"])}`;
    terminal.note(`${showEnding(run, terminal)} · ${sums}`);
  },
};
