/** An object that came from JSON or from the script. */
export type Fields = Readonly<Record<string, unknown>>;

/** What the prelude gives to this code: the script's own powers, and errors with a code. */
export interface AgentDoor {
  /** Makes a ctx call. */
  op(name: string, args: unknown): Promise<unknown>;
  /** Members of ctx that tools use. */
  readonly ctx: Readonly<Record<string, unknown>>;
  /** `ctx.messages`. */
  readonly messages: readonly unknown[];
  readonly limits: { readonly maxTools: number; readonly maxToolCalls: number; readonly maxToolTextBytes: number };
  /** Makes the error of a failed call. */
  error(code: string, message: string, details?: Fields): Error;
}

/** What a tool said: text for the model. */
export interface ToolAnswer {
  readonly text: string;
  readonly isError: boolean;
}

/** One tool as the loop uses it. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments; null: none was given. */
  readonly parameters: Fields | null;
  /** False where whoever runs the tool checks its arguments. */
  readonly checked: boolean;
  run(args: Fields): Promise<ToolAnswer>;
}

/** Tools by name, in their order. */
export type Toolset = ReadonlyMap<string, Tool>;

/** True for an object that is no array. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A value in an error, short. */
export function shown(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? typeof value).slice(0, 100);
  } catch {
    return typeof value;
  }
}

/** A text member of whatever was thrown; proxies that throw on every touch included. */
export function textOf(thrown: unknown, name: string): string | null {
  try {
    const value = (thrown as Fields)[name];
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}
