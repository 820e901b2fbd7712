import type { Completion } from "../interceptors/interceptor.ts";
import { isAttemptOver } from "./attempt-over.ts";
import type { Call, CallOwner } from "./call.ts";

/** Bytes on all shelves of one worker; the shelf that would pass it is cleared. */
const MAX_SHELVED_BYTES = 64 * 1024 * 1024;

/** What all shelves of a worker hold together. */
export interface ShelvedBytes {
  total: number;
}

/** A call that nobody waited for, and what came of it meanwhile. */
export interface ShelvedCall {
  readonly call: Call;
  readonly parts: readonly string[];
  readonly completion: Completion | null;
}

interface Shelved extends ShelvedCall {
  readonly parts: string[];
  completion: Completion | null;
  bytes: number;
}

/**
 * Calls of one execution that lost its host: they go on here, so that nothing is sent twice, until the next attempt
 * asks for the same op at the same position.
 */
export class Shelf implements CallOwner {
  readonly #all: ShelvedBytes;
  readonly #calls = new Map<number, Shelved>();

  constructor(all: ShelvedBytes) {
    this.#all = all;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Keeps a call under way. */
  add(call: Call): void {
    const shelved: Shelved = { call, parts: [], completion: null, bytes: 0 };
    this.#calls.set(call.pos, shelved);
    call.handTo(this);
    this.#count(shelved, call.heldBytes);
  }

  /** Keeps those of the calls under way that should not be sent twice; they are no longer in `calls`. */
  addAll(calls: Map<number, Call>): void {
    for (const call of calls.values()) {
      if (!call.begun || !call.sends) continue;
      calls.delete(call.pos);
      this.add(call);
    }
  }

  /**
   * Hands the call at `pos` to `owner`, who must be told of what came of it at once. Null: there is none, or it is not
   * the same call (or goes on after other parts than the `delivered` that the guest has seen); that one is aborted.
   */
  take(pos: number, hash: string, delivered: number, owner: CallOwner): ShelvedCall | null {
    const shelved = this.#calls.get(pos);
    if (shelved === undefined) return null;
    const { call, parts } = shelved;
    this.#remove(shelved);
    if (call.hash === hash && call.parts - parts.length === delivered) {
      call.handTo(owner);
      return shelved;
    }
    call.abort();
    return null;
  }

  /** Aborts whatever was not asked for. */
  clear(): void {
    for (const shelved of this.#calls.values()) {
      this.#remove(shelved);
      shelved.call.abort();
    }
  }

  part(call: Call, json: string): void {
    const shelved = this.#find(call);
    if (shelved === null) return;
    shelved.parts.push(json);
    this.#count(shelved, json.length);
  }

  ended(call: Call, completion: Completion): void {
    const shelved = this.#find(call);
    if (shelved === null) return;
    // Between two attempts nobody could answer what it asked: it was not made, and the next one makes it.
    if (completion.kind === "error" && isAttemptOver(JSON.parse(completion.payload))) {
      this.#remove(shelved);
      return;
    }
    shelved.completion = completion;
    this.#count(shelved, completion.payload.length - call.heldBytes);
    call.heldBytes = 0;
  }

  hold(call: Call, bytes: number): void {
    const shelved = this.#find(call);
    if (shelved !== null) this.#count(shelved, bytes);
  }

  /** Nobody waits for it here. */
  parks(): void {}

  /** Null once it was aborted: what still comes of it is dropped. */
  #find(call: Call): Shelved | null {
    const shelved = this.#calls.get(call.pos);
    return shelved?.call === call ? shelved : null;
  }

  #count(shelved: Shelved, bytes: number): void {
    shelved.bytes += bytes;
    this.#all.total += bytes;
    if (this.#all.total > MAX_SHELVED_BYTES) this.clear();
  }

  #remove(shelved: Shelved): void {
    this.#calls.delete(shelved.call.pos);
    this.#all.total -= shelved.bytes;
  }
}
