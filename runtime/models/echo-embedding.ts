import { hash } from "node:crypto";

/** Numbers in a vector of the built-in model when nobody asks for another count. */
const DIMENSIONS = 256;
/** Words of a text that are looked at. */
const MAX_WORDS = 4_000;
/** What a part of a word weighs, next to a whole word: words with the same stem come out alike. */
const PART_WEIGHT = 0.25;
const PART_CHARS = 4;

function add(vector: Float64Array, word: string, weight: number): void {
  const bits = Number.parseInt(hash("sha256", word, "hex").slice(0, 12), 16);
  const index = Math.floor(bits / 2) % vector.length;
  vector[index] = (vector[index] ?? 0) + (bits % 2 === 0 ? weight : -weight);
}

/** The built-in model's vector of a text, of length 1: texts that share words are close. Always the same for the same text. */
export function echoEmbedding(text: string, dimensions: number | null): { vector: readonly number[]; words: number } {
  const words =
    text
      .toLowerCase()
      .normalize("NFKC")
      .match(/[\p{L}\p{N}]+/gu)
      ?.slice(0, MAX_WORDS) ?? [];
  const vector = new Float64Array(dimensions ?? DIMENSIONS);
  for (const word of words) {
    add(vector, word, 1);
    if (word.length > PART_CHARS) add(vector, `^${word.slice(0, PART_CHARS)}`, PART_WEIGHT);
  }
  const length = Math.hypot(...vector);
  // A text without words, or whose words cancel each other out, has a direction, too.
  if (length === 0) vector[0] = 1;
  const scale = length === 0 ? 1 : 1 / length;
  return { vector: [...vector].map((number) => Math.fround(number * scale)), words: words.length };
}
