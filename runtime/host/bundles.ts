import { needsOf } from "../../sandbox/wire.ts";

const MAX_BYTES = 256 * 1024 * 1024;

/** A bundle's code, and what its realm must have. */
export interface BundleCode {
  readonly text: string;
  /** Large globals it names; see NEEDS in sandbox/wire.ts. */
  readonly needs: number;
}

/** Bundle code by hash, least recently used out first. */
export class Bundles {
  readonly #code = new Map<string, BundleCode>();
  #bytes = 0;

  get(hash: string): BundleCode | undefined {
    const code = this.#code.get(hash);
    if (code !== undefined) {
      this.#code.delete(hash);
      this.#code.set(hash, code);
    }
    return code;
  }

  add(hash: string, text: string): BundleCode {
    const code = { text, needs: needsOf(text) };
    this.#code.set(hash, code);
    this.#bytes += text.length;
    for (const [old, { text: unused }] of this.#code) {
      if (this.#bytes <= MAX_BYTES || old === hash) break;
      this.#code.delete(old);
      this.#bytes -= unused.length;
    }
    return code;
  }
}
