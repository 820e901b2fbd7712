import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inspectGraph } from "../../../src/graph/parse-graph.ts";
import { findTemplate, listTemplates } from "../../../src/graph/templates/index.ts";
import type { StubCall } from "../../support/model-stub.ts";
import { until } from "../../support/until.ts";
import { type GraphBench, startGraphBench } from "../run-graph.ts";

type Json = Readonly<Record<string, unknown>>;

let bench: GraphBench;
let web: Server;
let webUrl = "";

beforeAll(async () => {
  bench = await startGraphBench();
  web = createServer((request, response) => {
    const isKnown = request.url?.startsWith("/known") === true;
    response.writeHead(isKnown ? 200 : 404, { "content-type": "application/json" }).end('{"employees":120}');
  });
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  webUrl = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
});
afterAll(async () => {
  web.close();
  await bench.close();
});

const promptOf = (body: StubCall["body"]): string => JSON.stringify(body["messages"]);

/** Says so to each prompt: the first answer whose text it has. */
function answers(...rules: readonly (readonly [when: string, content: string])[]): void {
  bench.stub.always((body) => ({ content: rules.find(([when]) => promptOf(body).includes(when))?.[1] ?? "nothing" }));
}

let number = 0;

async function make(id: string): Promise<string> {
  const made = await bench.call("POST", "/api/v1/workflows/from-template", {
    template_id: id,
    name: `${id} ${++number}`,
  });
  expect(made["id"], JSON.stringify(made)).toMatch(/^wf_/);
  return String(made["id"]);
}

async function outputsOf(id: string, inputs: Json): Promise<unknown> {
  const run = await bench.call("POST", `/api/v1/workflows/${await make(id)}/execute`, { inputs });
  expect(run["status"], JSON.stringify(run)).toBe("completed");
  return run["outputs"];
}

describe("the gallery", () => {
  test("has eight templates, each with an id of its own", () => {
    expect(listTemplates().length).toBeGreaterThanOrEqual(8);
    expect(new Set(listTemplates().map(({ id }) => id)).size).toBe(listTemplates().length);
    expect(findTemplate("tmpl_nothing")).toBeNull();
  });

  test.each(listTemplates().map((template) => [template.id, template] as const))("%s is valid", (_id, template) => {
    const { errors, warnings } = inspectGraph({ dialect: "solcognia", document: template.document }).problems;
    expect({ errors, warnings }).toEqual({ errors: [], warnings: [] });
  });
});

describe("each of them runs", () => {
  test("support triage: urgent messages go to a person", async () => {
    answers(["Classify", '{"category":"technical","urgency":"high"}']);
    expect(await outputsOf("tmpl_support_triage", { message: "all is down" })).toEqual({
      triage: { category: "technical", urgency: "high" },
      answer: null,
      escalation: { queue: "urgent", category: "technical", message: "all is down" },
    });
  });

  test("answer from a datastore: with its sources", async () => {
    const id = await make("tmpl_rag_answer");
    const lines = '{"id":"r1","text":"Refunds are paid by the seller."}\n{"id":"r2","text":"Parcels take three days."}';
    const imported = await fetch(`${bench.server.url}/api/v1/datastores/memory/import?format=jsonl`, {
      method: "POST",
      headers: { authorization: `Bearer ${bench.server.apiKey}`, "content-type": "application/x-ndjson" },
      body: lines,
    });
    expect(imported.status).toBeLessThan(300);
    const isFilled = async () => {
      const search = await bench.call("POST", "/api/v1/datastores/memory/search", { query: "refunds" });
      return Array.isArray(search["data"]) && search["data"].length > 0;
    };
    await until(isFilled, (isThere) => isThere);
    bench.stub.always((body) => ({ content: promptOf(body).includes("paid by the seller") ? "The seller." : "?" }));
    const run = await bench.call("POST", `/api/v1/workflows/${id}/execute`, {
      inputs: { question: "Who pays refunds?" },
    });
    expect(run["outputs"]).toEqual({ answer: "The seller.", sources: ["r1"] });
  });

  test("document summary: the file's text is in the prompt", async () => {
    const form = new FormData();
    form.append("file", new Blob(["one two three"]), "notes.txt");
    const headers = { authorization: `Bearer ${bench.server.apiKey}` };
    const sent = await fetch(`${bench.server.url}/v1/files/upload`, { method: "POST", headers, body: form });
    const { file_uuid: document } = (await sent.json()) as { file_uuid: string };
    answers(["one two three", "Three numbers."]);
    expect(await outputsOf("tmpl_document_summary", { document })).toEqual({ summary: "Three numbers.", words: 3 });
  });

  test("data extraction: says what is missing", async () => {
    answers(["Fields", '```json\n{"name":"Ada","email":null}\n```']);
    expect(await outputsOf("tmpl_data_extraction", { text: "Ada wrote.", fields: ["name", "email"] })).toEqual({
      ...{ data: { name: "Ada", email: null }, missing: ["email"], complete: false },
    });
  });

  test("translation: a bad one is improved, a good one stays", async () => {
    answers(["Improve", "Besser"], ["Original", '{"score":3,"problems":["wrong"]}'], ["Translate", "Schlecht"]);
    const improved = { translation: "Besser", score: 3, improved: true };
    expect(await outputsOf("tmpl_translation_review", { text: "Good" })).toEqual(improved);
    answers(["Original", '{"score":9,"problems":[]}'], ["Translate", "Gut"]);
    expect(await outputsOf("tmpl_translation_review", { text: "Good" })).toEqual({
      ...{ translation: "Gut", score: 9, improved: false },
    });
  });

  test("lead enrichment: with what the service knows, and without", async () => {
    bench.stub.always((body) => ({
      content: promptOf(body).includes("120") ? '{"score":80,"reason":"large"}' : '{"score":10,"reason":"unknown"}',
    }));
    expect(await outputsOf("tmpl_lead_enrichment", { company: "Acme", service_url: `${webUrl}/known` })).toEqual({
      ...{ company: "Acme", score: 80, reason: "large", enriched: true },
    });
    expect(await outputsOf("tmpl_lead_enrichment", { company: "Acme", service_url: `${webUrl}/gone` })).toEqual({
      ...{ company: "Acme", score: 10, reason: "unknown", enriched: false },
    });
  });

  test("scheduled digest: reads both sources, also when one fails; it has a schedule", async () => {
    answers(["employees", "- point"]);
    const inputs = { first_url: `${webUrl}/known`, second_url: `${webUrl}/gone` };
    expect(await outputsOf("tmpl_scheduled_digest", inputs)).toBe("# Digest\n\n- point");
    const schedules = await bench.call("GET", "/api/v1/schedules");
    expect(JSON.stringify(schedules)).toContain("0 7 * * 1-5");
  });

  test("approval flow: waits for a person, and goes on with the decision", async () => {
    answers(["announcement", "We are live."]);
    const id = await make("tmpl_approval_flow");
    const begun = await bench.call("POST", `/api/v1/workflows/${id}/execute`, {
      inputs: { topic: "launch" },
      async: true,
    });
    const open = async () => {
      const list = (await bench.call("GET", "/api/v1/approvals"))["data"] as readonly Json[];
      return list.find(({ title }) => title === "Publish: launch") ?? null;
    };
    const question = await until(open, (found) => found !== null);
    await bench.call("POST", `/api/v1/approvals/${String(question?.["id"])}`, { approved: true });
    const status = async () => bench.call("GET", String(begun["status_url"]));
    const run = await until(status, (found) => found["status"] === "completed");
    expect(run["outputs"]).toEqual({ published: true, text: "We are live." });
  });
});
