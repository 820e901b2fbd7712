import { fail, type WorkflowError } from "../errors.ts";

/** The fields of an op's arguments, not checked yet. */
export type Fields = Readonly<Record<string, unknown>>;

const SHOWN_LENGTH = 100;

/** A value as an error message shows it: JSON text, cut. */
export const shown = (value: unknown): string => (JSON.stringify(value) ?? "undefined").slice(0, SHOWN_LENGTH);

/** True for objects that are no lists. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Makes the INVALID_ARGUMENT errors of a capability: each names the field and says why. */
export const invalidIn =
  (capability: string) =>
  (field: string, why: string): WorkflowError =>
    fail("INVALID_ARGUMENT", { message: `${capability}: ${field} ${why}`, field });
