/** Names that no node may have: what expressions mean by them, and what objects inherit. */
export const RESERVED: ReadonlySet<string> = new Set([
  ...["input", "inputs", "variables", "context", "secrets", "env", "nodes", "execution", "workflow"],
  ...["__proto__", "constructor", "prototype", "hasOwnProperty", "toString", "valueOf"],
]);

/** Members that are never followed: they lead out of the data. */
export const UNREACHABLE: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** JavaScript text of a string, harmless within a script. */
export function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const KEYWORDS = new Set(
  "arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof undefined var void while with yield".split(
    " ",
  ),
);

/** True for a name that a script can declare. */
export const isIdentifier = (name: string): boolean => IDENTIFIER.test(name) && !KEYWORDS.has(name);

/** The name of a member in an object literal. `__proto__` would set the prototype there. */
export function memberName(name: string): string {
  if (name === "__proto__") return '["__proto__"]';
  return isIdentifier(name) ? name : quoted(name);
}
