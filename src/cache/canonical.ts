/**
 * The canonical JSON text of a JSON value: members sorted by name, no spaces, absent members left out, so that equal
 * values give equal texts whatever order they were written in.
 */
export function canonical(value: unknown): string {
  if (value === undefined) return "null";
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members: string[] = [];
  const record = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(record).toSorted()) {
    const member = record[name];
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${canonical(member)}`);
  }
  return `{${members.join(",")}}`;
}
