const MAX_BYTES = 256 * 1024 * 1024;

/** Bundle code by hash, least recently used out first. */
export class Bundles {
  readonly #code = new Map<string, string>();
  #bytes = 0;

  get(hash: string): string | undefined {
    const code = this.#code.get(hash);
    if (code !== undefined) {
      this.#code.delete(hash);
      this.#code.set(hash, code);
    }
    return code;
  }

  add(hash: string, code: string): void {
    if (this.#code.has(hash)) return;
    this.#code.set(hash, code);
    this.#bytes += code.length;
    for (const [old, text] of this.#code) {
      if (this.#bytes <= MAX_BYTES || old === hash) return;
      this.#code.delete(old);
      this.#bytes -= text.length;
    }
  }
}
