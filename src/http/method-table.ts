interface Known {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Which methods a path has: for 405 instead of 404. */
export class MethodTable {
  readonly #paths = new Map<string, Known>();

  /** Adds a route; `url` is a pattern such as `/runs/:id` or `/files/*`. */
  add(method: string | readonly string[], url: string): void {
    const known = this.#paths.get(url) ?? { pattern: toPattern(url), methods: new Set() };
    for (const name of typeof method === "string" ? [method] : method) known.methods.add(name);
    this.#paths.set(url, known);
  }

  /** Methods of the routes that match a path; empty when there is none. */
  allowed(path: string): readonly string[] {
    const found = new Set<string>();
    for (const { pattern, methods } of this.#paths.values()) {
      if (pattern.test(path)) for (const method of methods) found.add(method);
    }
    return [...found].sort();
  }
}

function toPattern(url: string): RegExp {
  const segments = url.split("/").map((segment) => {
    if (segment.startsWith(":")) return "[^/]+";
    return segment === "*" ? ".*" : segment.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${segments.join("/")}/?$`);
}
