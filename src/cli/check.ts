import { type Api, workflowPath } from "./api.ts";
import type { CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { asNumber, asRecord, asText, type JsonRecord, parseJson } from "./json.ts";
import { readLines } from "./lines.ts";
import type { LocalFile } from "./sources.ts";

/** What a check of new code against recorded runs found. */
export interface CheckSummary {
  readonly checked: number;
  /** Results that are not identical, as the API shows them. */
  readonly others: readonly JsonRecord[];
}

const WORDS: Readonly<Record<string, (result: JsonRecord) => string>> = {
  diverges: (result) => `diverges at call ${asNumber(result["position"]) ?? "?"}: ${asText(result["message"]) ?? ""}`,
  differs: (result) => `differs in its ${asText(result["part"]) ?? "result"}`,
  crashes: (result) => `crashes: ${asText(asRecord(result["error"])["message"]) ?? ""}`,
};

/** One line about a result. */
export function describeResult(result: JsonRecord): string {
  const verdict = asText(result["verdict"]) ?? "";
  const status = asText(result["status"]);
  const waits = status === "waiting" ? " (it waits; it stays on its own version)" : "";
  return `${asText(result["run"]) ?? ""}  ${WORDS[verdict]?.(result) ?? verdict}${waits}`;
}

async function* resultsOf(api: Api, ref: string, body: unknown): AsyncIterable<JsonRecord> {
  const response = await api.send(workflowPath(ref, "/check"), { method: "POST", json: body });
  for await (const line of readLines(response, api)) yield asRecord(parseJson(line));
}

/** Replays the last runs of a workflow on the server with these sources; nothing is called and nothing stored. */
export async function checkSources(
  call: CommandCall,
  ref: string,
  sources: readonly LocalFile[],
  last: number,
): Promise<CheckSummary> {
  const [entry, ...files] = sources.map(({ path, text }) => ({ path, text }));
  const body = { code: entry?.text ?? "", entry: entry?.path, files, last };
  const api = await call.api();
  return call.terminal.during("Replaying recorded runs", async (update) => {
    const others: JsonRecord[] = [];
    let checked = 0;
    for await (const result of resultsOf(api, ref, body)) {
      checked++;
      if (result["verdict"] !== "identical") others.push(result);
      update(`Replaying recorded runs: ${checked}, ${others.length} not identical`);
    }
    return { checked, others };
  });
}

/** The number that `--check` was given. */
export function parseCheck(text: string): number {
  const last = Number(text);
  if (Number.isInteger(last) && last >= 1 && last <= 1_000) return last;
  throw stop("usage", `--check: must be a whole number from 1 to 1000, got "${text}"`);
}
