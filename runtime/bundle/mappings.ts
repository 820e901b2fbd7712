const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]));

/** The numbers of one segment, in base 64 with continuation bits and the sign in the lowest bit. */
function decodeSegment(segment: string): readonly number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const digit of segment) {
    const bits = VALUES.get(digit) ?? 0;
    value |= (bits & 31) << shift;
    shift += 5;
    if ((bits & 32) !== 0) continue;
    numbers.push((value & 1) === 0 ? value >>> 1 : -(value >>> 1));
    value = 0;
    shift = 0;
  }
  return numbers;
}

function encodeNumber(number: number): string {
  let rest = number < 0 ? (-number << 1) | 1 : number << 1;
  let text = "";
  do {
    const bits = rest & 31;
    rest >>>= 5;
    text += DIGITS[rest > 0 ? bits | 32 : bits];
  } while (rest > 0);
  return text;
}

/** Where a segment leads: source, line and column (all 0-based). */
type Target = readonly [source: number, line: number, column: number];

/** Writes segments relative to the one before, as the format wants it. */
function createEncoder(): (columnDelta: number, target: Target) => string {
  let last: Target = [0, 0, 0];
  return (columnDelta, target) => {
    const numbers = [columnDelta, target[0] - last[0], target[1] - last[1], target[2] - last[2]];
    last = target;
    return numbers.map(encodeNumber).join("");
  };
}

/**
 * Rewrites the `mappings` of a source map: source i becomes `sources[i]`, and all that leads to a source with null
 * becomes one segment per stretch that leads to source `foreign`. What is left is as small as the author's own code.
 */
export function narrowMappings(mappings: string, sources: readonly (number | null)[], foreign: number): string {
  const encode = createEncoder();
  const outside: Target = [foreign, 0, 0];
  let [source, line, column] = [0, 0, 0];
  const narrowLine = (text: string): string => {
    const kept: string[] = [];
    let [at, keptAt, wasOutside] = [0, 0, false];
    for (const segment of text === "" ? [] : text.split(",")) {
      const [columnDelta = 0, sourceDelta = 0, lineDelta = 0, sourceColumnDelta = 0] = decodeSegment(segment);
      at += columnDelta;
      source += sourceDelta;
      line += lineDelta;
      column += sourceColumnDelta;
      const own = sources[source] ?? null;
      if (own === null && wasOutside) continue;
      wasOutside = own === null;
      kept.push(encode(at - keptAt, own === null ? outside : [own, line, column]));
      keptAt = at;
    }
    return kept.join(",");
  };
  return mappings.split(";").map(narrowLine).join(";");
}
