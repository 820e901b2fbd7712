import { AGENT_MEMBERS } from "./agent-modules.ts";
import { narrowMappings } from "./mappings.ts";

/** Facts that shape the generated entry of a bundle. */
export interface EntryFacts {
  /** Path of the upload's entry file. */
  readonly entry: string;
  /** Names it exports. */
  readonly exports: ReadonlySet<string>;
  /** True when the upload imports zod, so that its schemas can be converted. */
  readonly zod: boolean;
  /** True when the upload names agents or runTools. */
  readonly agents: boolean;
}

const ZOD_IMPORT = `import { toJSONSchema } from "zod/v4/core";`;
const ZOD_SCHEMA = `const schema = (value, io) =>
  value === undefined ? null : typeof value === "object" && value !== null && "_zod" in value
    ? toJSONSchema(value, { io, unrepresentable: "any" }) : value;`;
const PLAIN_SCHEMA = `const schema = (value) => value === undefined ? null : value;`;

/** JavaScript of the module that hands the author's exports over; `$weft` is declared by {@link wrapCode}. */
export function entryText({ entry, exports, zod, agents }: EntryFacts): string {
  const pick = (...names: string[]) =>
    names.filter((name) => exports.has(name)).map((name) => `script.${name}`)[0] ?? "undefined";
  return `${agents ? `import { createAgentMembers } from "${AGENT_MEMBERS}";\n` : ""}import * as script from ${JSON.stringify(entry)};
${zod ? ZOD_IMPORT : ""}
${zod ? ZOD_SCHEMA : PLAIN_SCHEMA}
const execute = ${pick("execute", "default")};
if (typeof execute !== "function") throw new TypeError("script: the exported execute is not a function");
$weft = {
  execute,${agents ? "\n  members: createAgentMembers," : ""}
  describe: () => ({
    config: ${pick("config")} ?? null,
    inputSchema: schema(${pick("inputSchema", "INPUT_SCHEMA")}, "input"),
    outputSchema: schema(${pick("outputSchema", "OUTPUT_SCHEMA")}, "output"),
  }),
};`;
}

/**
 * What `globalThis` is called in a bundle: an object of one execution that inherits from the real global, which is
 * frozen at level `frozen`. Packages may keep their state on it, and no execution sees another's.
 */
export const GLOBAL_NAME = "$realm";

/** The line before the first line of the built code. */
const PREFIX = `(function(weft){"use strict";var $weft,${GLOBAL_NAME}=Object.create(globalThis);\n`;
const SUFFIX = `return $weft;})`;

/** The one expression of a bundle, from esbuild's immediately invoked function. */
export function wrapCode(built: string): string {
  return `${PREFIX}${built}${SUFFIX}`;
}

/** Source of mappings that lead to no file of the author. */
export const FOREIGN = "weft:library";

/** esbuild's map, moved below the prefix: it names the author's files as uploaded and leads nowhere else. */
export function finishMap(map: string): string {
  const { sources, mappings } = JSON.parse(map) as { sources: string[]; mappings: string };
  const own = sources.filter((source) => source.startsWith("upload:"));
  const indexes = sources.map((source) => (own.includes(source) ? own.indexOf(source) : null));
  return JSON.stringify({
    version: 3,
    sources: [...own.map((source) => source.slice("upload:".length)), FOREIGN],
    names: [],
    mappings: `;${narrowMappings(mappings, indexes, own.length)}`,
  });
}
