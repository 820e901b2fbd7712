import { Script } from "node:vm";
import { isIdentifier, quoted } from "./names.ts";

const IMPORT = /^\s*import\s+(?:type\s+)?(?:[\w$*{}\s,]+\s+from\s+)?["'][^"'\n]+["'](?:\s+with\s*\{[^}\n]*\})?[ \t]*;?/;

/** Imports at the top of a script, and the rest; lines stay where they are. */
function split(script: string): { readonly imports: string; readonly body: string } {
  let at = 0;
  for (let found = IMPORT.exec(script); found !== null; found = IMPORT.exec(script.slice(at))) at += found[0].length;
  return { imports: script.slice(0, at), body: script.slice(at) };
}

/** A result that is assigned: an expression too, but one that is not meant. */
const ASSIGNS = /^\s*(?:output|result)\s*=[^=>]/m;

const STATEMENT = /^\s*(?:throw|const|let|var|if|for|while|do|try|switch|class|return)\b/;

/** True for a text that is one expression. Parsed, never run; V8 knows no types, so a short text with some counts where it has no statement. */
function isExpression(body: string): boolean {
  if (ASSIGNS.test(body)) return false;
  try {
    new Script(`(async () => (\n${body}\n))`);
    return true;
  } catch {
    return !/[;\n]|\breturn\b/.test(body.trim()) && !STATEMENT.test(body);
  }
}

/** What a script sees. */
const SEEN = ["input", "inputs", "variables", "nodes", "context", "input_data", "env", "secrets", "files", "log"];

/** Nodes before it, under their names where these can be names. */
function locals(before: readonly string[]): string {
  const taken = new Set<string>(SEEN);
  const named = before.flatMap((id) => {
    const name = id.replaceAll(/[^\w$]/g, "_");
    if (!isIdentifier(name) || taken.has(name)) return [];
    taken.add(name);
    return [`${name} = input_data[${quoted(id)}]`];
  });
  return named.length === 0 ? "" : ` const ${named.join(", ")};`;
}

const declares = (body: string, name: string): boolean =>
  new RegExp(`\\b(?:let|const|var|function)\\s+${name}\\b`).test(body);

/**
 * Writes the module of a script: an expression is its value; a body returns, or assigns to `output` or `result`.
 * `statements`: it is a body, also where it could be an expression. Whether it parses is the bundler's business.
 */
export function writeScript(
  script: string,
  { before, statements }: { readonly before: readonly string[]; readonly statements: boolean },
): string {
  const { imports, body } = split(script);
  const head = `${imports}${imports === "" ? "" : " "}export default ({ ${SEEN.join(", ")} }: any) => {${locals(before)}`;
  if (!statements && isExpression(body.replace(/;\s*$/, ""))) {
    const value = body.replace(/;\s*$/, "");
    const isLater = /\bawait\b/.test(value);
    return isLater ? `${head} return (async () => (${value}\n))(); };\n` : `${head} return (${value}\n); };\n`;
  }
  const names = ["output", "result"].filter((name) => !declares(body, name));
  const own = names.length === 0 ? "" : ` let ${names.map((name) => `${name}: any`).join(", ")};`;
  const end = 'return typeof output !== "undefined" ? output : typeof result !== "undefined" ? result : undefined;';
  return `${head}${own} return (async () => {${body}\n;${end} })(); };\n`;
}
