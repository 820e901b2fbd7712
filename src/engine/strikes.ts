/** Versions remembered. */
const MAX_VERSIONS = 10_000;
/** Lost hosts after which a version is no longer let near other executions. */
const MAX_STRIKES = 2;

/** Remembers which versions were suspected of killing their host. */
export class Strikes {
  readonly #counts = new Map<string, number>();

  add(versionId: string): void {
    const count = (this.#counts.get(versionId) ?? 0) + 1;
    this.#counts.delete(versionId);
    this.#counts.set(versionId, count);
    const oldest = this.#counts.size > MAX_VERSIONS ? this.#counts.keys().next().value : undefined;
    if (oldest !== undefined) this.#counts.delete(oldest);
  }

  /** Takes one strike back: an execution of the version ran alone and did no harm. */
  forgive(versionId: string): void {
    const count = (this.#counts.get(versionId) ?? 0) - 1;
    if (count > 0) this.#counts.set(versionId, count);
    else this.#counts.delete(versionId);
  }

  /** True when executions of this version get a host process each. */
  isOut(versionId: string): boolean {
    return (this.#counts.get(versionId) ?? 0) >= MAX_STRIKES;
  }
}
