import type { NodeView } from "../node-view.ts";

/** Values are alone, or in a graph of Powabase the `output` of an object. */
export const shapeOf = (node: NodeView): string => `shape: "${node.dialect === "powabase" ? "output" : "value"}"`;

/** Code of a value as the body of an arrow function. */
export const asBody = (code: string): string => (code.startsWith("{") ? `(${code})` : code);
