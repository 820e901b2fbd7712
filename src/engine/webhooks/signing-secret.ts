import { randomBytes } from "node:crypto";

const SECRET_BYTES = 32;

/** A new signing secret, `whsec_…`. */
export const newSigningSecret = (): string => `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`;
