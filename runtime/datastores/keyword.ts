import { badArgument, overLimit, shown } from "./complain.ts";
import { MAX_QUERY_CHARS, MAX_QUERY_WORDS } from "./limits.ts";

/** A search text as FTS5 expressions: records with all of its words, and with any of them (null: it is one word). */
export interface KeywordQuery {
  readonly all: string;
  readonly any: string | null;
}

/** Phrases in double quotes, and everything else up to white space; a `*` behind either asks for words that begin so. */
const PART = /"([^"]*)"(\*?)|[^\s"]+/gu;

/** Letters, digits and private characters are what the tokenizer makes words of. */
const WORD = /[\p{L}\p{N}\p{Co}]/u;

/** As an FTS5 string: whatever is in it is text, never an operator. */
const quoted = (text: string, prefix: boolean): string => `"${text.replaceAll('"', '""')}"${prefix ? "*" : ""}`;

function* termsOf(query: string): Generator<string> {
  for (const [part, phrase, star] of query.matchAll(PART)) {
    if (phrase === undefined) {
      const word = part.replace(/\*+$/, "");
      if (WORD.test(word)) yield quoted(word, word !== part);
    } else if (WORD.test(phrase)) yield quoted(phrase, star === "*");
  }
}

/**
 * Compiles what a person typed: words, "phrases" and prefixes*. No text is a syntax error; null when there is no word in
 * it. Throws INVALID_ARGUMENT and LIMIT_EXCEEDED.
 */
export function compileKeywords(query: unknown): KeywordQuery | null {
  if (typeof query !== "string") throw badArgument(`query must be a text, got ${shown(query)}`, { field: "query" });
  if (query.length > MAX_QUERY_CHARS)
    throw overLimit("query: characters", "maxQueryChars", MAX_QUERY_CHARS, query.length);
  // FTS5 reads its expression as a C string.
  const terms = [...new Set(termsOf(query.toWellFormed().replaceAll("\0", " ")))];
  if (terms.length > MAX_QUERY_WORDS) throw overLimit("query: words", "maxQueryWords", MAX_QUERY_WORDS, terms.length);
  if (terms.length === 0) return null;
  return { all: terms.join(" AND "), any: terms.length === 1 ? null : terms.join(" OR ") };
}
