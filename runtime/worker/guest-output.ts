import type { Chunk, LogLine } from "../execution.ts";
import type { RunLink } from "./run-options.ts";
import type { SecretGuard } from "./secrets.ts";

/** Chunks and log lines on their way out, without secrets. */
export interface GuestOutput {
  chunk(chunk: Chunk): void;
  /** `message` and `fields` are JSON texts, `fields` may be empty; `at`: the guest's clock, ms since the epoch. */
  log(line: Pick<LogLine, "level" | "message" | "at"> & { readonly fields: string }): void;
}

/** The output of one attempt; log lines are numbered from 0. */
export function createGuestOutput(link: RunLink, { redact }: SecretGuard): GuestOutput {
  let index = 0;
  return {
    chunk: (chunk) => link.chunks([{ ...chunk, type: redact(chunk.type), content: redact(chunk.content) }]),
    log({ level, message, fields, at }) {
      const text = JSON.parse(redact(message)) as string;
      link.logs([{ index: index++, level, at, message: text, fields: fields === "" ? null : redact(fields) }]);
    },
  };
}
