/** The function that the pool runs. */
export function execute(input: unknown): { readonly echo: unknown } {
  return { echo: input };
}
