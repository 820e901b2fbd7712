/** One request of a script to the outside; every number has its unit in the name. */
export interface EgressRequest {
  readonly method: string;
  readonly url: string;
  /** Sent as they are; names that would smuggle a second request or fake the connection are refused. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
  /** Hosts the workflow may reach (`host`, `*.host`, either with `:port`); null = any public host. */
  readonly allow: readonly string[] | null;
  readonly redirect: "follow" | "manual" | "error";
  /** For the whole exchange: all redirects, headers and body. */
  readonly timeoutMs: number;
  /** Of the body after decompression. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** The answer to an {@link EgressRequest}: any status is an answer. */
export interface EgressResponse {
  readonly status: number;
  /** Where the answer came from, after redirects. */
  readonly url: string;
  /** Lowercase names; repeated headers are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** After decompression. */
  readonly body: Uint8Array;
}

/** The only way a script's request reaches the network. */
export interface EgressClient {
  /** One attempt. Throws INVALID_ARGUMENT, CAPABILITY_DENIED, LIMIT_EXCEEDED, UPSTREAM_FAILED, UPSTREAM_TIMEOUT, or the signal's reason. */
  request(request: EgressRequest): Promise<EgressResponse>;
  /** Closes every connection. */
  close(): Promise<void>;
}

/** Settings of the egress client. */
export interface EgressOptions {
  /** CIDR ranges that scripts may reach although private. */
  readonly allowPrivate: readonly string[];
}

export declare function createEgressClient(options: EgressOptions): EgressClient;
