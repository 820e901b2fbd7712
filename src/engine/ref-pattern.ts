/** True where one of the refs, or the beginning of one that ends in `*`, is `ref`. */
export function coversRef(refs: readonly string[], ref: string): boolean {
  return refs.some((one) => (one.endsWith("*") ? ref.startsWith(one.slice(0, -1)) : ref === one));
}
