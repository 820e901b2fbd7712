import type { Api } from "./api.ts";
import type { Command } from "./command.ts";
import { stop } from "./exit.ts";
import { asNumber, asRecord, asRecords, asText, type JsonRecord } from "./json.ts";
import { showTime } from "./table.ts";

const PAGE = 1_000;

async function* readFrom(api: Api, first: number, account: string): AsyncIterable<JsonRecord> {
  let after: number | null = first;
  while (after !== null) {
    const answer = asRecord(await api.call(`/api/v1/audit?limit=${PAGE}&after=${after}${account}`));
    yield* asRecords(answer["data"]);
    after = asNumber(answer["next_after"]);
  }
}

function show(entry: JsonRecord): string {
  const key = asRecord(entry["key"]);
  const target = Object.entries(asRecord(entry["target"])).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [
    showTime(entry["at"]),
    asText(key["name"]) ?? "",
    asText(entry["address"]) ?? "",
    String(entry["status"]),
    asText(entry["action"]) ?? "",
    ...target,
  ].join("  ");
}

/** `weft audit`: who managed what. */
export const audit: Command = {
  name: "audit",
  about: "print the log of management actions; with --json one JSON object per line, for export",
  args: [],
  flags: [
    { flags: "--after <seq>", about: "only those after this number, the seq of the last one that is known" },
    { flags: "--account <account>", about: "of one account; for the owner of the server" },
  ],
  examples: ["weft audit", "weft audit --json >> audit.jsonl", "weft audit --json --after 1200"],
  async run({ api, options, json, terminal }) {
    const after = options.text("after") ?? "0";
    if (!/^\d{1,15}$/.test(after)) throw stop("usage", `--after: must be a whole number, got ${JSON.stringify(after)}`);
    const account = options.text("account");
    const filter = account === undefined ? "" : `&account=${encodeURIComponent(account)}`;
    for await (const entry of readFrom(await api(), Number(after), filter)) {
      terminal.print(json ? JSON.stringify(entry) : show(entry));
    }
  },
};
