/** A streamed chunk or completion: JSON as the upstream sent it. */
export type ModelObject = Readonly<Record<string, unknown>>;
