/** The module `weft/graph` of scripts: graphs of nodes, each a ctx call or a piece of code. */
export { defineGraph } from "./define-graph.ts";
export {
  add,
  both,
  div,
  either,
  eq,
  ge,
  gt,
  is,
  le,
  loose,
  lt,
  mod,
  mul,
  ne,
  neg,
  not,
  safely,
  sub,
  within,
} from "./expressions.ts";
export { agent } from "./kinds/agent.ts";
export { approve } from "./kinds/approve.ts";
export { choose } from "./kinds/choose.ts";
export { code } from "./kinds/code.ts";
export { condition } from "./kinds/condition.ts";
export { delay } from "./kinds/delay.ts";
export { entry } from "./kinds/entry.ts";
export { http } from "./kinds/http.ts";
export { llm } from "./kinds/llm.ts";
export { memory } from "./kinds/memory.ts";
export { output } from "./kinds/output.ts";
export { parallel } from "./kinds/parallel.ts";
export { pass } from "./kinds/pass.ts";
export { subflow } from "./kinds/subflow.ts";
export { at, gathered, look, text, textOr, truthy, valueOr } from "./text.ts";
