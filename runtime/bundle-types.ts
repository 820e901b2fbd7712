/** One file of an upload: a path relative to the upload's root, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What a person uploads: one or more files and the one that exports `execute`. */
export interface Upload {
  readonly files: readonly SourceFile[];
  /** Path of the entry file; default: the only file. */
  readonly entry?: string;
}

/** One problem found while bundling; line is 1-based, column 0-based (as esbuild reports them). */
export interface BundleProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly lineText: string;
  readonly text: string;
}

/**
 * A compiled script. `code` is one JavaScript expression: a function that, called with the execution's `weft` object
 * (`{ op(name, args): Promise<unknown>, errors }`), evaluates the top level anew and returns `{ execute, describe }`.
 */
export interface Bundle {
  /** Hex SHA-256 of `code`. */
  readonly hash: string;
  readonly code: string;
  /** Source map (JSON, version 3) from `code` to the upload's files. */
  readonly sourceMap: string;
}

/** What `describe()` of a bundle returns: read by running it in the sandbox, never in the server. */
export interface ModuleFacts {
  /** JSON of `export const config`, or null. */
  readonly config: unknown;
  /** JSON Schema or Maitai field map, or null; zod schemas arrive converted. */
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
  /** False when the top level cannot be evaluated with frozen intrinsics: the version then runs at level `context`. */
  readonly frozen: boolean;
}
