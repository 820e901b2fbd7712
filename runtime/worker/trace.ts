import { isCredential } from "../egress/headers.ts";

const HIDDEN = "[hidden]";

function hideValues(record: unknown, of: (name: string) => boolean): unknown {
  if (typeof record !== "object" || record === null || Array.isArray(record)) return record;
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, of(name) ? HIDDEN : value]));
}

/** The arguments of an op as its trace keeps them: without credential headers and without secrets handed on. */
export function traceArguments(args: string): string {
  if (!args.includes('"headers"') && !args.includes('"secrets"')) return args;
  const parsed = JSON.parse(args) as unknown;
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return args;
  const { headers, secrets, ...rest } = parsed as Record<string, unknown>;
  return JSON.stringify({
    ...rest,
    ...(headers === undefined ? {} : { headers: hideValues(headers, isCredential) }),
    ...(secrets === undefined ? {} : { secrets: hideValues(secrets, () => true) }),
  });
}
