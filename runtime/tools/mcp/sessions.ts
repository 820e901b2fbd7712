import { hash } from "node:crypto";
import type { EgressClient } from "../../egress/client.ts";
import type { McpAnswer, McpRequest, McpSession } from "./session.ts";
import type { McpTarget } from "./target.ts";

/** What a server answered. */
export type GivenAnswer = Exclude<McpAnswer, { readonly kind: "gone" }>;

/** The sessions of one worker with MCP servers. */
export interface McpSessions {
  /** Asks the server once, over the account's session with it; one that the server has forgotten is opened anew. Throws what {@link McpSession.ask} throws. */
  ask(target: McpTarget, request: McpRequest, signal: AbortSignal): Promise<GivenAnswer>;
  /** Sessions that are kept. */
  readonly size: number;
  /** Ends all sessions; never rejects. */
  close(): Promise<void>;
}

/** Settings of the sessions; both have a default. */
export interface McpSessionsOptions {
  readonly egress: Pick<EgressClient, "open" | "check">;
  /** A session that nobody has used for so long is closed. */
  readonly idleMs?: number;
  /** Sessions kept between calls; more are closed after their call. */
  readonly maxKept?: number;
}

interface Kept {
  readonly session: McpSession;
  users: number;
  idle: NodeJS.Timeout | null;
}

const IDLE_MS = 60_000;
const MAX_KEPT = 64;

/** Headers may be credentials: whoever sends others has a session of its own. */
function keyOf({ accountId, url, headers, handles, maxAnswerBytes }: McpTarget): string {
  const text = JSON.stringify([
    ...[accountId, url, maxAnswerBytes, Object.entries(headers).toSorted()],
    handles.map(({ text }) => text),
  ]);
  return hash("sha256", text, "base64url");
}

class Sessions implements McpSessions {
  readonly #egress: McpSessionsOptions["egress"];
  readonly #idleMs: number;
  readonly #maxKept: number;
  /** By key, the one that was used longest ago first. */
  readonly #kept = new Map<string, Kept>();
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  constructor({ egress, idleMs = IDLE_MS, maxKept = MAX_KEPT }: McpSessionsOptions) {
    this.#egress = egress;
    this.#idleMs = idleMs;
    this.#maxKept = maxKept;
  }

  get size(): number {
    return this.#kept.size;
  }

  async ask(target: McpTarget, request: McpRequest, signal: AbortSignal): Promise<GivenAnswer> {
    this.#egress.check(target.url, target.allow);
    const key = keyOf(target);
    const known = this.#take(key);
    if (known !== null) {
      const answer = await this.#askOver(key, known, request, signal);
      if (answer.kind !== "gone") return answer;
    }
    const answer = await this.#askOver(key, await this.#open(key, target, signal), request, signal);
    if (answer.kind === "gone") throw answer.error;
    return answer;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const [key, entry] of [...this.#kept]) {
      entry.users = 0;
      this.#forget(key, entry);
    }
    await Promise.all(this.#ending);
  }

  /** The session that is kept, if it can be used. */
  #take(key: string): Kept | null {
    const entry = this.#kept.get(key);
    if (entry === undefined) return null;
    if (entry.session.broken) {
      this.#forget(key, entry);
      return null;
    }
    this.#kept.delete(key);
    this.#kept.set(key, entry);
    stopIdle(entry);
    entry.users++;
    return entry;
  }

  /** Opens one; where another is kept already, this one ends with its call. */
  async #open(key: string, target: McpTarget, signal: AbortSignal): Promise<Kept> {
    // The SDK is large: only workers whose agents use MCP load it.
    const { openSession } = await import("./session.ts");
    const entry: Kept = { session: await openSession(target, this.#egress, signal), users: 1, idle: null };
    if (!this.#closed && !this.#kept.has(key) && this.#makeRoom()) this.#kept.set(key, entry);
    return entry;
  }

  async #askOver(key: string, entry: Kept, request: McpRequest, signal: AbortSignal): Promise<McpAnswer> {
    try {
      request.sent();
      return await entry.session.ask(request, signal);
    } finally {
      this.#release(key, entry);
    }
  }

  #release(key: string, entry: Kept): void {
    entry.users--;
    if (this.#kept.get(key) !== entry || entry.session.broken) this.#forget(key, entry);
    else if (entry.users === 0) entry.idle = setTimeout(() => this.#forget(key, entry), this.#idleMs).unref();
  }

  #makeRoom(): boolean {
    if (this.#kept.size < this.#maxKept) return true;
    const oldest = [...this.#kept].find(([, { users }]) => users === 0);
    if (oldest === undefined) return false;
    this.#forget(...oldest);
    return true;
  }

  /** Whoever still uses it goes on; the last one ends it. */
  #forget(key: string, entry: Kept): void {
    if (this.#kept.get(key) === entry) this.#kept.delete(key);
    stopIdle(entry);
    if (entry.users > 0) return;
    const done = entry.session.close().finally(() => this.#ending.delete(done));
    this.#ending.add(done);
  }
}

function stopIdle(entry: Kept): void {
  if (entry.idle !== null) clearTimeout(entry.idle);
  entry.idle = null;
}

/** Creates them; needs `close`. */
export function createMcpSessions(options: McpSessionsOptions): McpSessions {
  return new Sessions(options);
}
