/** Tells one waiting reader that there may be something new. */
export interface Bell {
  /** Resolves once it rang since it last resolved, at the latest after `ms`, and at once when it is closed. */
  rung(ms: number): Promise<void>;
  close(): void;
}

/** Bells by name: of an execution, of an account. Whoever rings pays next to nothing while nobody listens. */
export class Bells {
  readonly #byName = new Map<string, Set<() => void>>();

  /** True while nobody listens to any. */
  get isIdle(): boolean {
    return this.#byName.size === 0;
  }

  ring(name: string): void {
    for (const ring of this.#byName.get(name) ?? []) ring();
  }

  open(name: string): Bell {
    let hasRung = false;
    let isClosed = false;
    let wake: (() => void) | null = null;
    const ring = () => {
      hasRung = true;
      wake?.();
    };
    this.#add(name, ring);
    return {
      async rung(ms) {
        if (!hasRung && !isClosed) {
          const { promise, resolve } = Promise.withResolvers<void>();
          const timer = setTimeout(resolve, ms).unref();
          wake = resolve;
          await promise;
          clearTimeout(timer);
          wake = null;
        }
        hasRung = false;
      },
      close: () => {
        isClosed = true;
        this.#remove(name, ring);
        wake?.();
      },
    };
  }

  #add(name: string, ring: () => void): void {
    const rings = this.#byName.get(name);
    if (rings === undefined) this.#byName.set(name, new Set([ring]));
    else rings.add(ring);
  }

  #remove(name: string, ring: () => void): void {
    const rings = this.#byName.get(name);
    if (rings?.delete(ring) && rings.size === 0) this.#byName.delete(name);
  }
}
