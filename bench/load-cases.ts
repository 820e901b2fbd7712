import type { Goal } from "./row.ts";
import type { ScriptRef } from "./scripts.ts";

/** A server of the bench that load is put on. */
export type ServerName =
  | "node-http"
  | "fastify"
  | "piscina"
  | "naive-context"
  | "naive-contexts"
  | "naive-isolate"
  | "fast"
  | "hardened";

/** A case that is one request under load; all selected ones are measured in turn, round by round. */
export interface LoadCase {
  readonly name: string;
  readonly about: string;
  readonly server: ServerName;
  /** Workflow to call; null for a baseline. */
  readonly ref: ScriptRef | null;
  /** True: every answer comes from the result cache. False: the call says `no_cache`, so that the script always runs. */
  readonly cached: boolean;
  readonly connections: number;
  /** Name of the load case that the ratio is to. */
  readonly baseline: string | null;
  readonly goal: Goal | null;
}

const MANY = 16;
const MANY_DURABLE = 32;

function baseline(name: Exclude<ServerName, "fast" | "hardened">, about: string): LoadCase {
  return { name, about, server: name, ref: null, cached: false, connections: MANY, baseline: "fastify", goal: null };
}

function one(of: LoadCase, more: Partial<LoadCase>): LoadCase {
  return { ...of, name: `${of.name}-1`, about: `${of.about} One connection.`, connections: 1, goal: null, ...more };
}

function hardened(of: LoadCase): LoadCase {
  const about = `${of.about} Hosts without JIT (WEFT_HOST_PROFILE=hardened).`;
  return { ...of, name: `${of.name}-hardened`, about, server: "hardened" };
}

const fastify = { ...baseline("fastify", "Baseline: echo with fastify."), baseline: null };
const naiveContext = baseline("naive-context", "Baseline: fastify and isolated-vm, a fresh context per request.");
const naiveIsolate = baseline("naive-isolate", "Baseline: fastify and isolated-vm, a fresh isolate per request.");

const cached: LoadCase = {
  ...fastify,
  name: "cached",
  about: "Echo answered from the result cache; each hit is an execution row on disk.",
  server: "fast",
  ref: "echo",
  cached: true,
  baseline: "fastify",
  goal: { figure: "ratio", atLeast: 0.25 },
};
const frozen: LoadCase = {
  ...cached,
  name: "frozen",
  about: "Uncached echo (`no_cache`), frozen realm in a host process, execution row on disk.",
  cached: false,
  baseline: "naive-context",
  goal: { figure: "ratio", atLeast: 1 },
};
const context: LoadCase = {
  ...frozen,
  name: "context",
  about: "Uncached echo (`no_cache`), a fresh context per execution.",
  ref: "echo-context",
  goal: { figure: "ratio", atLeast: 0.6 },
};
const isolate: LoadCase = {
  ...frozen,
  name: "isolate",
  about: "Uncached echo (`no_cache`), a fresh isolate per execution.",
  ref: "echo-isolate",
  baseline: "naive-isolate",
};
const ops: LoadCase = {
  ...frozen,
  name: "ops",
  about: "Three HTTP POSTs one after the other to a service on this machine, each journaled with full fsync.",
  ref: "ops",
  connections: MANY_DURABLE,
  baseline: null,
  goal: { figure: "perSecond", atLeast: 600 },
};
const crowd = (of: LoadCase, more: Partial<LoadCase>): LoadCase => {
  return { ...of, name: `${of.name}-128`, about: `${of.about} 128 connections.`, connections: 128, ...more };
};
const frozenOne = one(frozen, { goal: { figure: "p50Ms", atMost: 1.5 }, baseline: "naive-context-1" });
const opsOne = one(ops, { goal: { figure: "p50Ms", atMost: 6 } });

/** Every load case, in the order of the table; a case that is a baseline of others comes before them. */
export const LOAD_CASES: readonly LoadCase[] = [
  fastify,
  baseline("node-http", "Baseline: echo with Node's own HTTP server."),
  baseline("piscina", "Baseline: echo with fastify and piscina, no sandbox."),
  naiveContext,
  naiveIsolate,
  cached,
  frozen,
  hardened(frozen),
  context,
  hardened(context),
  isolate,
  hardened(isolate),
  one(fastify, { baseline: null }),
  one(naiveContext, { baseline: "fastify-1" }),
  frozenOne,
  hardened(frozenOne),
  crowd(naiveContext, { server: "naive-contexts", baseline: null }),
  crowd(frozen, { goal: null, baseline: "naive-context-128" }),
  opsOne,
  hardened(opsOne),
  ops,
  hardened(ops),
];

/** The named load cases and the baselines they need. */
export function selectLoadCases(names: readonly string[]): readonly LoadCase[] {
  const wanted = new Set(names);
  for (const { name, baseline: of } of LOAD_CASES.toReversed()) if (wanted.has(name) && of !== null) wanted.add(of);
  return LOAD_CASES.filter(({ name }) => wanted.has(name));
}
