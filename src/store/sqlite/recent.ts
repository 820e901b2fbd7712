const MAX_ENTRIES = 2_000;

/** Decoded rows asked for lately, up to 2,000; emptied rather than trimmed, because filling it again is cheap. */
export class Recent<T> {
  readonly #entries = new Map<string, T>();

  /** The remembered value, else the one `load` finds (remembered unless null). */
  get(key: string, load: () => T | null): T | null {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const loaded = load();
    if (loaded === null) return null;
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.clear();
    this.#entries.set(key, loaded);
    return loaded;
  }

  /** Forgets everything: called after each change of what is remembered. */
  clear(): void {
    this.#entries.clear();
  }
}
