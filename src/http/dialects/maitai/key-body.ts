import { fail } from "../../../../runtime/index.ts";
import { type KeyRequest, SCOPES, UNLIMITED } from "../../../engine/accounts/account-service.ts";
import type { KeyChanges, Scope, StoredKey, TrafficLimits } from "../../../engine/types.ts";

const MAX_REFS = 100;
/** Ten years: no time beyond it is meant. */
const MAX_SECONDS = 315_360_000;

/** JSON Schema members of limits. */
export const TRAFFIC_FIELDS = {
  requests_per_minute: { type: ["integer", "null"], minimum: 1, maximum: 1_000_000, description: "null = no limit" },
  concurrency: {
    type: ["integer", "null"],
    minimum: 1,
    maximum: 1_000_000,
    description: "Requests that are answered at the same time; null = no limit",
  },
} as const;

/** JSON Schema of what a key or a secret is limited to, but for its description. */
export const REFS_FIELD = {
  type: ["array", "null"],
  minItems: 1,
  maxItems: MAX_REFS,
  uniqueItems: true,
  items: { type: "string", pattern: "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}\\*?$" },
} as const;

const FIELDS = {
  name: {
    type: "string",
    pattern: "^[A-Za-z0-9][A-Za-z0-9 ._:@-]{0,63}$",
    description: "Up to 64 letters, digits, spaces and ._:@-; budgets of a key go by its name",
  },
  scopes: {
    type: "array",
    minItems: 1,
    uniqueItems: true,
    items: { type: "string", enum: SCOPES },
    description: "invoke: run workflows. deploy: change them. read: see everything. admin: all that, and keys",
  },
  refs: {
    ...REFS_FIELD,
    description: "The only workflows it reaches: refs, or beginnings such as `support-*`; null = all",
  },
  ...TRAFFIC_FIELDS,
  expires_in_seconds: {
    type: ["integer", "null"],
    minimum: 1,
    maximum: MAX_SECONDS,
    description: "From now; null = never",
  },
} as const;

/** JSON Schema of a new key. */
export const NEW_KEY_SCHEMA = {
  type: "object",
  required: ["name"],
  additionalProperties: false,
  properties: { ...FIELDS, scopes: { ...FIELDS.scopes, default: ["invoke"] } },
} as const;

/** JSON Schema of changes of a key. */
export const KEY_CHANGE_SCHEMA = {
  type: "object",
  additionalProperties: false,
  minProperties: 1,
  properties: FIELDS,
} as const;

/** JSON Schema of a rotation. */
export const ROTATE_SCHEMA = {
  type: ["object", "null"],
  additionalProperties: false,
  properties: {
    overlap_seconds: {
      type: "integer",
      minimum: 0,
      maximum: MAX_SECONDS,
      default: 0,
      description: "How long the former key is good beside the new one",
    },
  },
} as const;

/** Limits of a body. */
export interface TrafficBody {
  readonly requests_per_minute?: number | null;
  readonly concurrency?: number | null;
}

/** A key of a body, as its schema has checked it. */
export interface KeyBody extends TrafficBody {
  readonly name?: string;
  readonly scopes?: readonly Scope[];
  readonly refs?: readonly string[] | null;
  readonly expires_in_seconds?: number | null;
}

/** Limits with those of a body in their place; absent ones stay. */
export function toLimits(body: TrafficBody, before: TrafficLimits): TrafficLimits {
  const { requests_per_minute: perMinute = before.requestsPerMinute, concurrency = before.concurrency } = body;
  return { requestsPerMinute: perMinute, concurrency };
}

const toExpiry = (seconds: number | null, now: number) => (seconds === null ? null : now + seconds * 1_000);

/** INVALID_REQUEST for a key that would be `admin` of a part: there is no such thing. */
function checkRefs(scopes: readonly Scope[], refs: readonly string[] | null): void {
  if (refs === null || !scopes.includes("admin")) return;
  const message = "refs: cannot be combined with the scope admin, which is for the whole account";
  throw fail("INVALID_REQUEST", { message, param: "refs" });
}

/** The key that a body asks for. */
export function toKeyRequest(body: KeyBody, now: number): KeyRequest {
  const { name = "", scopes = ["invoke"], refs = null, expires_in_seconds: seconds = null } = body;
  checkRefs(scopes, refs);
  const limits = toLimits(body, UNLIMITED);
  return { name, scopes, refs, limits, expiresAt: toExpiry(seconds, now) };
}

/** The changes that a body asks for. */
export function toKeyChanges(body: KeyBody, key: StoredKey, now: number): KeyChanges {
  const { name = key.name, scopes = key.scopes, refs = key.refs, expires_in_seconds: seconds } = body;
  checkRefs(scopes, refs);
  const expiresAt = seconds === undefined ? key.expiresAt : toExpiry(seconds, now);
  return { name, scopes, refs, limits: toLimits(body, key.limits), expiresAt };
}

const seconds = (ms: number | null) => (ms === null ? null : ms / 1_000);

/** Limits as the API shows them. */
export const toLimitsView = ({ requestsPerMinute, concurrency }: TrafficLimits) => ({
  requests_per_minute: requestsPerMinute,
  concurrency,
});

/** A key as the API shows it. */
export function toKeyView(key: StoredKey): Record<string, unknown> {
  return {
    id: key.id,
    object: "api_key",
    name: key.name,
    prefix: key.prefix,
    scopes: key.scopes,
    refs: key.refs,
    ...toLimitsView(key.limits),
    created_at: seconds(key.createdAt),
    expires_at: seconds(key.expiresAt),
    last_used_at: seconds(key.lastUsedAt),
  };
}
