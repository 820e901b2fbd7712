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
export { approve, delay, memory, parallel, subflow } from "./kinds/effects.ts";
export { http } from "./kinds/http.ts";
export { agent, llm } from "./kinds/llm.ts";
export { choose, code, condition, entry, output, pass } from "./kinds/plain-kinds.ts";
export { at, gathered, look, text, textOr, truthy, valueOr } from "./text.ts";
