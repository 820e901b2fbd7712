import type { Fields } from "../types.ts";
import { Ids, ImportError, type Imported, isFields, listOf, memberOf, positionOf, textOf } from "./imported.ts";
import { anyTemplate, conditionOf, type Link, linksOf, pairs, type Reading, template } from "./n8n-values.ts";

const shortType = (type: string): string => type.replace(/^.*\./, "");

/** True for what n8n exports: nodes with types of its packages, connections by name. */
export function isN8n(document: unknown): boolean {
  const types = listOf(memberOf(document, "nodes")).map((node) => textOf(node["type"]));
  return isFields(memberOf(document, "connections")) && types.some((type) => /^(@n8n\/)?n8n-nodes-/.test(type));
}

type Mapping = (
  node: Fields,
  parameters: Fields,
  reading: Reading,
) => { readonly type: string; readonly config: Fields } | string;

/** The model that hangs on a node. */
function modelOf(node: Fields, reading: Reading): string | null {
  const link = reading.links.find(({ to, kind }) => to === textOf(node["name"]) && kind === "ai_languageModel");
  const parameters = memberOf(reading.byName.get(link?.from ?? ""), "parameters");
  const model =
    memberOf(parameters, "model", "value") ?? memberOf(parameters, "model") ?? memberOf(parameters, "modelName");
  return typeof model === "string" ? model : null;
}

const llm: Mapping = (node, parameters, reading) => {
  const model =
    modelOf(node, reading) ??
    (textOf(memberOf(parameters, "modelId", "value") ?? parameters["modelId"]) || "gpt-4o-mini");
  const messages = listOf(
    memberOf(parameters, "messages", "values") ?? memberOf(parameters, "messages", "messageValues"),
  );
  const contents = messages.map((row) => textOf(row["content"] ?? row["message"])).filter((text) => text !== "");
  const own = textOf(parameters["text"] ?? parameters["prompt"]);
  const prompt = [own, ...contents]
    .filter((text) => text !== "")
    .map((text) => template(text, node, reading))
    .join("\n\n");
  if (prompt === "") return "it has no prompt";
  const system = textOf(memberOf(parameters, "options", "systemMessage"));
  return {
    type: "ai_model",
    config: { model, prompt, ...(system === "" ? {} : { system_prompt: template(system, node, reading) }) },
  };
};

const http: Mapping = (node, parameters, reading) => {
  const json = parameters["jsonBody"] ?? parameters["body"];
  const body = pairs(parameters["bodyParameters"], node, reading);
  return {
    type: "http_request",
    config: {
      method: textOf(parameters["method"] ?? parameters["requestMethod"]) || "GET",
      url: template(textOf(parameters["url"]), node, reading),
      headers: pairs(parameters["headerParameters"], node, reading),
      params: pairs(parameters["queryParameters"], node, reading),
      ...(typeof json === "string" && json !== "" ? { body: template(json, node, reading) } : {}),
      ...(Object.keys(body).length === 0 ? {} : { body }),
    },
  };
};

const set: Mapping = (node, parameters, reading) => {
  const rows = listOf(memberOf(parameters, "assignments", "assignments"));
  const old = Object.values(isFields(parameters["values"]) ? parameters["values"] : {}).flatMap(listOf);
  const found = (rows.length > 0 ? rows : old).map((row) => [
    textOf(row["name"]),
    anyTemplate(row["value"] ?? null, node, reading),
  ]);
  return { type: "processing", config: { operation: "template", template: Object.fromEntries(found) } };
};

const code: Mapping = (_node, parameters) => {
  if (parameters["language"] === "python") return "Python is not run here";
  const script = textOf(parameters["jsCode"] ?? parameters["functionCode"]);
  if (script === "") return "it has no code";
  const uses = /\$(?:input|json|node|items|env|workflow)\b|\bitems\b|\$\(/.exec(script)?.[0];
  if (uses !== undefined) return `its code uses ${uses}, which only n8n has; write it anew with nodes.<id>`;
  return { type: "processing", config: { operation: "script", script } };
};

const branch: Mapping = (node, parameters, reading) => {
  const condition = conditionOf(parameters["conditions"], node, reading);
  if (condition === null) return "its conditions use operations that have no counterpart";
  return { type: "condition", config: { condition } };
};

const switchNode: Mapping = (node, parameters, reading) => {
  const rules = listOf(memberOf(parameters, "rules", "values") ?? memberOf(parameters, "rules", "rules"));
  const cases = rules.map((rule, i) => ({
    expression: conditionOf(rule["conditions"] ?? { conditions: [rule] }, node, reading),
    handle: `output_${i}`,
  }));
  if (cases.length === 0 || cases.some(({ expression }) => expression === null))
    return "its rules use operations that have no counterpart";
  return { type: "conditional", config: { conditions: cases, default: `output_${cases.length}` } };
};

const wait: Mapping = (_node, parameters) => {
  const units: Readonly<Record<string, string>> = { seconds: "s", minutes: "m", hours: "h", days: "d" };
  const amount = Number(parameters["amount"] ?? 1);
  const unit = units[textOf(parameters["unit"]) || "hours"] ?? "h";
  return Number.isFinite(amount)
    ? { type: "delay", config: { duration: `${amount}${unit}` } }
    : "it waits for something else than a time";
};

const pass: Mapping = () => ({ type: "pass", config: {} });

const MAPPINGS: Readonly<Record<string, Mapping>> = {
  httpRequest: http,
  set,
  editFields: set,
  code,
  function: code,
  if: branch,
  filter: branch,
  switch: switchNode,
  wait,
  noOp: pass,
  merge: pass,
  openAi: llm,
  chainLlm: llm,
  agent: llm,
  lmChatOpenAi: pass,
};

/** Where a run begins: it becomes the input. */
const TRIGGERS = /(Trigger|^start|^webhook|^formTrigger)$/;

function scheduleOf(node: Fields): string | null {
  const [rule] = listOf(memberOf(node, "parameters", "rule", "interval"));
  if (shortType(textOf(node["type"])) !== "scheduleTrigger" || rule === undefined) return null;
  const [minute, hour] = [Number(rule["triggerAtMinute"] ?? 0), Number(rule["triggerAtHour"] ?? 0)];
  switch (textOf(rule["field"]) || "days") {
    case "cronExpression":
      return textOf(rule["expression"]);
    case "minutes":
      return `*/${Number(rule["minutesInterval"] ?? 5)} * * * *`;
    case "hours":
      return `${minute} */${Number(rule["hoursInterval"] ?? 1)} * * *`;
    case "days":
      return `${minute} ${hour} * * *`;
    default:
      return null;
  }
}

function toNode(node: Fields, reading: Reading): Fields | null {
  const [name, type] = [textOf(node["name"]), textOf(node["type"])];
  const parameters = isFields(node["parameters"]) ? node["parameters"] : {};
  const mapping = Object.hasOwn(MAPPINGS, shortType(type)) ? MAPPINGS[shortType(type)] : undefined;
  const mapped = mapping === undefined ? "there is no node of this kind here" : mapping(node, parameters, reading);
  const shape = { id: reading.ids.of(name), name, ...positionOf(node["position"]) };
  if (typeof mapped === "string") {
    reading.unmapped.push({ node: name, type, why: `${mapped}; it passes on what it gets` });
    return { ...shape, type: "pass", config: {} };
  }
  const goesOn = node["onError"] === "continueRegularOutput" || node["continueOnFail"] === true;
  const config = goesOn ? { ...mapped.config, on_error: "continue" } : mapped.config;
  return { ...shape, type: mapped.type, ...(node["disabled"] === true ? { enabled: false } : {}), config };
}

/** The condition of a connection, by the output that it leaves from. */
function handleOf({ output }: Link, type: string): Fields {
  if (type === "if" || type === "filter") return { condition: output === 0 ? "true" : "false" };
  return type === "switch" ? { condition: `output_${output}` } : {};
}

/** Reads an export of n8n. */
export function fromN8n(document: Fields): Imported {
  const nodes = listOf(document["nodes"]);
  if (nodes.length === 0) throw new ImportError("the export has no nodes");
  const byName = new Map(nodes.map((node) => [textOf(node["name"]), node]));
  const links = linksOf(document);
  const helpers = new Set(links.filter(({ kind }) => kind.startsWith("ai_")).map(({ from }) => from));
  const isTrigger = (node: Fields) => TRIGGERS.test(shortType(textOf(node["type"])));
  const isNote = (node: Fields) => shortType(textOf(node["type"])) === "stickyNote";
  const reading: Reading = { ids: new Ids(), links, byName, unmapped: [] };
  const taken = nodes.filter((node) => !isTrigger(node) && !isNote(node) && !helpers.has(textOf(node["name"])));
  for (const node of taken) reading.ids.of(textOf(node["name"]));
  for (const name of helpers) {
    const node = byName.get(name);
    if (node === undefined || /^lmChat|^lm/.test(shortType(textOf(node["type"])))) continue;
    reading.unmapped.push({
      node: name,
      type: textOf(node["type"]),
      why: "memories, tools and parsers of agents are not taken over",
    });
  }
  const known = new Set(taken.map((node) => textOf(node["name"])));
  const connections = links
    .filter(({ from, to, kind }) => kind === "main" && known.has(from) && known.has(to))
    .map((link) => ({
      from: reading.ids.of(link.from),
      to: reading.ids.of(link.to),
      ...handleOf(link, shortType(textOf(byName.get(link.from)?.["type"]))),
    }));
  const schedule = nodes.map(scheduleOf).find((cron) => cron !== null);
  const made = taken.map((node) => toNode(node, reading)).filter((node) => node !== null);
  return {
    name: textOf(document["name"]) || "Imported from n8n",
    description: "Imported from n8n.",
    document: {
      nodes: made,
      connections,
      settings: schedule === undefined ? {} : { schedule: { cron: schedule, input: {} } },
    },
    unmapped: reading.unmapped,
  };
}
