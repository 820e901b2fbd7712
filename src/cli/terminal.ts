import picocolors from "picocolors";
import createSpinner from "yocto-spinner";
import type { Io } from "./io.ts";

/** The look of what a command writes: plain text in a pipe, colours and a spinner for a person. */
export interface Terminal {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
  /** Writes a line of the result to stdout. */
  print(line: string): void;
  /** Writes a line about the result to stderr. */
  note(line: string): void;
  /** Shows `text` while `work` runs, only to a person; `update` changes the text. */
  during<T>(text: string, work: (update: (text: string) => void) => Promise<T>): Promise<T>;
}

/** Makes the terminal of one command; `quiet` (for --json) leaves out notes and progress. */
export function createTerminal(io: Io, quiet: boolean): Terminal {
  const { bold, dim, red, green, yellow, cyan } = picocolors.createColors(
    io.interactive && io.env["NO_COLOR"] === undefined,
  );
  return {
    bold,
    dim,
    red,
    green,
    yellow,
    cyan,
    print: (line) => void io.stdout.write(`${line}\n`),
    note: (line) => {
      if (!quiet) io.stderr.write(`${line}\n`);
    },
    async during(text, work) {
      if (quiet || !io.interactive) return work(() => undefined);
      const spinner = createSpinner({ text, stream: io.stderr, handleSignals: false }).start();
      try {
        return await work((next) => {
          spinner.text = next;
        });
      } finally {
        spinner.stop();
      }
    },
  };
}
