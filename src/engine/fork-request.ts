/** What of an execution another one takes over, and what it changes. */
export interface ForkRequest {
  readonly accountId: string;
  readonly executionId: string;
  /** Ctx calls below this position are taken over; null = all that are recorded. */
  readonly at: number | null;
  /** Version number text; null = the version of the origin. */
  readonly version: string | null;
  /** Dotted path into `input`, `messages`, `params`, `metadata` or `env` → JSON value. */
  readonly set: Readonly<Record<string, unknown>>;
  /** Values for this run; all that the origin had must be given again. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Name of the API key that asks, whose daily pool pays; null = none. */
  readonly key?: string | null;
  /** Account-wide idempotency key; null = none. */
  readonly idempotencyKey: string | null;
}
