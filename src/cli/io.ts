import type { Readable, Writable } from "node:stream";

/** Everything a command may touch of the process it runs in; tests give their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Directory that relative paths start from. */
  readonly cwd: string;
  readonly stdin: Readable;
  /** Results. */
  readonly stdout: Writable;
  /** Everything about results: progress, notes, errors. */
  readonly stderr: Writable;
  /** True when a person watches: colours and spinners are used. */
  readonly interactive: boolean;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}

/** The whole of stdin as text. */
export async function readStdin(io: Io): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of io.stdin) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString("utf8");
}
