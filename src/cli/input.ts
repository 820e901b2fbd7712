import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { stop } from "./exit.ts";
import { type Io, readStdin } from "./io.ts";
import { parseJson } from "./json.ts";

function readInputFile(path: string, io: Io, flag: string): string {
  try {
    return readFileSync(resolve(io.cwd, path), "utf8");
  } catch {
    throw stop("usage", `${flag}: ${path} cannot be read`);
  }
}

/** The value of a flag such as --input: JSON text, `@file` or `-` for stdin; undefined when it was not given. */
export async function readInput(given: string | undefined, io: Io, flag = "--input"): Promise<unknown> {
  if (given === undefined) return undefined;
  const source = given === "-" ? "stdin" : given.startsWith("@") ? given.slice(1) : "the text";
  const text = given === "-" ? await readStdin(io) : given.startsWith("@") ? readInputFile(source, io, flag) : given;
  const value = parseJson(text);
  if (value === undefined)
    throw stop("usage", `${flag}: ${source} is not JSON: ${text.trim().slice(0, 80) || "(empty)"}`);
  return value;
}
