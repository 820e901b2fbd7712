/** Which part of a version number an upload raises. */
export type Bump = "major" | "minor" | "patch";

type Triple = readonly [major: number, minor: number, patch: number];

function parse(text: string): Triple {
  const [major = 0, minor = 0, patch = 0] = text.split(".").map(Number);
  return [major, minor, patch];
}

const compare = (a: Triple, b: Triple): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

/** The number of the next version: `1.0.0` for the first one, else the highest so far raised by `bump`. */
export function nextVersionNumber(numbers: readonly string[], bump: Bump): string {
  const highest = numbers.map(parse).toSorted(compare).at(-1);
  if (highest === undefined) return "1.0.0";
  const [major, minor, patch] = highest;
  if (bump === "major") return `${major + 1}.0.0`;
  return bump === "minor" ? `${major}.${minor + 1}.0` : `${major}.${minor}.${patch + 1}`;
}
