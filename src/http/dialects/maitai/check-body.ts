import type { SourceFile, Upload } from "../../../../runtime/index.ts";
import { MAX_CHECKED } from "../../../engine/replays.ts";
import { DEFAULT_ENTRY } from "./upload-body.ts";
import { VALIDATE_SCHEMA } from "./upload-schema.ts";

/** Body of a check, as its schema has checked it. */
export interface CheckBody {
  readonly code: string;
  readonly entry?: string;
  readonly files?: readonly SourceFile[];
  /** Newest ended runs to replay; default 20. */
  readonly last?: number;
}

const { code, entry, files } = VALIDATE_SCHEMA.properties;

/** JSON Schema of the body. */
export const CHECK_SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["code"],
  properties: {
    code,
    entry,
    files,
    last: { type: "integer", minimum: 1, maximum: MAX_CHECKED, description: "Newest ended runs to replay; default 20" },
  },
} as const;

/** The script that a check names. */
export function toCheckUpload({ code: text, entry: path = DEFAULT_ENTRY, files: others = [] }: CheckBody): Upload {
  return { files: [{ path, text }, ...others], entry: path };
}
