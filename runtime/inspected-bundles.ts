import type { Bundle } from "./bundle-types.ts";

/** Code of bundles that are inspected and not stored yet, for as long as any inspection of them goes on. */
export interface InspectedBundles {
  /** Runs `inspect` while the bundle's code can be found. */
  during<T>(bundle: Pick<Bundle, "hash" | "code">, inspect: () => Promise<T>): Promise<T>;
  codeOf(hash: string): string | undefined;
}

/** None yet. */
export function createInspectedBundles(): InspectedBundles {
  const bundles = new Map<string, { readonly code: string; inspections: number }>();
  return {
    async during({ hash, code }, inspect) {
      // The same script may be uploaded twice at once: whoever is done first leaves the code to the other.
      const entry = bundles.get(hash) ?? { code, inspections: 0 };
      bundles.set(hash, entry);
      entry.inspections++;
      try {
        return await inspect();
      } finally {
        entry.inspections--;
        if (entry.inspections === 0) bundles.delete(hash);
      }
    },
    codeOf: (hash) => bundles.get(hash)?.code,
  };
}
