import { fail, type WorkflowError } from "../errors.ts";
import type { ModelObject } from "./completion.ts";
import { cutDelta, DeltaDiffers, isUsedUp } from "./delta.ts";
import { choicesOf, deltaOf, indexOf, type Joiner } from "./join.ts";

/** Continues an interrupted stream with a new one that must begin with what was already delivered. */
export interface Resumption {
  /** The part of these chunks that goes beyond what was delivered. */
  cut(chunks: readonly ModelObject[]): readonly ModelObject[];
  /** Throws when the new stream ended before it reached the place of the interruption. */
  end(): void;
}

const differs = (): WorkflowError =>
  fail("UPSTREAM_FAILED", {
    message: "chat: the stream was interrupted and the new answer differs from the part already delivered",
    reason: "stream_differs",
  });

interface Seen {
  readonly rest: Record<string, unknown>;
  readonly finishReason: string | null;
}

type Choice = Record<string, unknown>;

function cutChoice(seen: Seen, choice: Choice): Choice | null {
  const delta = cutDelta(seen.rest, deltaOf(choice));
  const finish = choice["finish_reason"] ?? null;
  const early = finish !== null && !isUsedUp(seen.rest);
  const beyond =
    seen.finishReason !== null && (Object.keys(delta).length > 0 || (finish !== null && finish !== seen.finishReason));
  if (early || beyond) throw differs();
  if (Object.keys(delta).length === 0 && (finish === null || seen.finishReason !== null)) return null;
  return { ...choice, delta };
}

/** A resumption after the chunks that `delivered` has gathered (its own state is not changed). */
export function createResumption(delivered: Joiner): Resumption {
  const seen = new Map<number, Seen>(
    [...delivered.choices].map(([index, { message, finishReason }]) => [
      index,
      { rest: structuredClone(message), finishReason },
    ]),
  );
  const { id, created } = delivered.head();
  const cutOne = (chunk: ModelObject): readonly ModelObject[] => {
    const choices = choicesOf(chunk);
    const kept = choices.flatMap((choice): readonly Choice[] => {
      const before = seen.get(indexOf(choice));
      if (before === undefined) return [choice];
      const left = cutChoice(before, choice);
      return left === null ? [] : [left];
    });
    if (choices.length > 0 && kept.length === 0) return [];
    // The readers see one stream: it keeps the identity of its first part.
    return [
      { ...chunk, ...(id === undefined ? {} : { id }), ...(created === undefined ? {} : { created }), choices: kept },
    ];
  };
  return {
    cut(chunks) {
      try {
        return chunks.flatMap(cutOne);
      } catch (error) {
        throw error instanceof DeltaDiffers ? differs() : error;
      }
    },
    end() {
      if (![...seen.values()].every(({ rest }) => isUsedUp(rest))) throw differs();
    },
  };
}
