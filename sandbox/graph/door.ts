/** What a bundle is called with, as far as graphs use it (sandbox/prelude.ts). */
interface Door {
  readonly errors: {
    readonly WorkflowError: new (message: string, options?: object) => Error;
    readonly HttpError: new (message: string, options?: object) => Error;
  };
  /** Makes the calls that `begin` begins at once count for a node. */
  node<T>(id: string, begin: () => T): T;
  /** The clock, for events alone. */
  now(): number;
  /** The error of a run whose node failed. */
  fault(message: string, details: object, cause: unknown): Error;
}

declare const weft: Door;

/** The bundle's own door; read when it is used, since the module may be evaluated before. */
export const door = (): Door => weft;
