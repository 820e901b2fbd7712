import { fail } from "../../../../runtime/index.ts";

/** What Maitai's clients may say about transforms. */
export interface TransformBody {
  readonly transform_enabled?: unknown;
  readonly transform_session?: unknown;
}

/** Says what to do instead of asking for a transform. */
export const NO_TRANSFORMS = "transforms are not supported; leave it out or send false";

/** Maitai never published what a transform does: asking for one is an INVALID_REQUEST, saying no is not. */
export function refuseTransforms(body: TransformBody): void {
  const asks = (["transform_enabled", "transform_session"] as const).find((field) => {
    const value = body[field];
    return value !== undefined && value !== null && value !== false && value !== "";
  });
  if (asks !== undefined) throw fail("INVALID_REQUEST", { message: `${asks}: ${NO_TRANSFORMS}`, param: asks });
}
