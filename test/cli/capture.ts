import { PassThrough, Readable, Writable } from "node:stream";
import type { Io } from "../../src/cli/io.ts";
import { runCli } from "../../src/cli/program.ts";

/** What one command line did. */
export interface Captured {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** How a test runs a command line. */
export interface CaptureOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** Sees everything written to either stream as it comes. */
  onWrite?(text: string): void;
}

function sink(parts: string[], onWrite: (text: string) => void): Writable {
  return new Writable({
    write(bytes, _encoding, done) {
      parts.push(String(bytes));
      onWrite(String(bytes));
      done();
    },
  });
}

/** An Io that keeps what is written. */
export function captureIo(options: CaptureOptions = {}): {
  readonly io: Io;
  readonly out: string[];
  readonly err: string[];
} {
  const out: string[] = [];
  const err: string[] = [];
  const onWrite = options.onWrite ?? (() => undefined);
  const io: Io = {
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    stdin: options.stdin === undefined ? new PassThrough().end() : Readable.from([options.stdin]),
    stdout: sink(out, onWrite),
    stderr: sink(err, onWrite),
    interactive: false,
    signal: options.signal ?? new AbortController().signal,
  };
  return { io, out, err };
}

/** Runs one command line in this process. */
export async function weft(args: readonly string[], options: CaptureOptions = {}): Promise<Captured> {
  const { io, out, err } = captureIo(options);
  const code = await runCli(args, io);
  return { code, out: out.join(""), err: err.join("") };
}
