import type { Events } from "./events.ts";
import type { Slots } from "./slots.ts";
import type { GraphCtx } from "./types.ts";

/** What all parts of one run share. */
export interface Shared {
  readonly ctx: GraphCtx;
  readonly events: Events;
  readonly slots: Slots;
  readonly retries: number;
  readonly streams: () => boolean;
}
