import { randomUUID } from "node:crypto";

/** A new id of a datastore or of an import. */
export const newId = (kind: "ds" | "imp"): string => `${kind}_${randomUUID().replaceAll("-", "")}`;
