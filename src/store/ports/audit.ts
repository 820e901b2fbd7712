/** One management action. */
export interface AuditEntry {
  readonly at: number;
  readonly accountId: string;
  readonly keyId: string;
  readonly keyName: string;
  /** Method and pattern of the route: `DELETE /api/v1/workflows/:ref`. */
  readonly action: string;
  /** JSON text: what the request named. */
  readonly target: string;
  /** HTTP status of the answer. */
  readonly status: number;
  /** IP address of the caller. */
  readonly address: string;
  readonly requestId: string;
}

/** Management actions, in the order in which they were answered. */
export interface AuditStore {
  addAudit(params: { readonly entry: AuditEntry }): Promise<void>;
  /** Those after `after` (0 = from the first), the oldest first; `accountId` null = of all accounts. */
  listAudit(params: {
    readonly accountId: string | null;
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly (AuditEntry & { readonly seq: number })[]>;
  /** Removes up to `limit` of the oldest entries that are older than `before`; returns how many. */
  removeAudit(params: { readonly before: number; readonly limit: number }): Promise<number>;
}
