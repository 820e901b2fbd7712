import type { SecretHandle } from "../../egress/secret-handles.ts";

/** A server as one execution reaches it: secrets are in the headers. */
export interface McpTarget {
  readonly accountId: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Hosts the workflow may reach; null = any public host. */
  readonly allow: readonly string[] | null;
  /** Secrets that are put in where they leave. */
  readonly handles: readonly SecretHandle[];
  readonly maxAnswerBytes: number;
}
