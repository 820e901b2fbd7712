export type { Multipart, MultipartFile } from "@fastify/multipart";
export type { FastifyError } from "fastify";

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Limits, WorkflowError } from "../../../runtime/index.ts";
import type { Services } from "../../engine/services.ts";
import type { Caller } from "../../engine/types.ts";

/** The HTTP server, as dialects see it (fastify's types come through here only). */
export type App = FastifyInstance;
/** One request. */
export type Request = FastifyRequest;
/** Its reply. */
export type Reply = FastifyReply;

/** What a dialect may use. */
export interface DialectDeps extends Services {
  readonly limits: Limits;
  readonly version: string;
  /** Executions that one key may start in a minute by the APIs that count them; null = any number. */
  readonly executionsPerMinute: number | null;
  /** The account of an authenticated request, and the key it came with. */
  account(request: Request): Caller;
  /** The id every response carries as `x-request-id`. */
  requestId(request: Request): string;
}

/** A rendered error. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** One API shape: its routes and how it words an error. To add one, write its folder and name it in index.ts. */
export interface Dialect {
  readonly name: string;
  /** Path prefixes whose unknown paths and early failures it answers; the longest match wins. */
  readonly prefixes: readonly string[];
  toError(error: WorkflowError, requestId: string): ErrorAnswer;
  /** JSON Schema of its error bodies, for the documentation. */
  readonly errorSchema: object;
  register(app: App, deps: DialectDeps): void;
}
