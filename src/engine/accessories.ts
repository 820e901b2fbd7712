import { fail, type Limits } from "../../runtime/index.ts";
import type { Version } from "../store/store.ts";
import type { StagedAccessory } from "./accessory-contents.ts";
import type { DeployRequest, UploadedAccessory } from "./workflows.ts";

const KEY = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

const sizeOf = (one: UploadedAccessory) => ("received" in one ? one.received.bytes : one.bytes.byteLength);

function checkOne(one: UploadedAccessory, { maxAccessoryBytes }: Limits): void {
  const { key } = one;
  const bytes = sizeOf(one);
  if (!KEY.test(key)) {
    const rule = 'must be 1 to 64 letters, digits, "_", "." or "-", beginning with a letter or digit';
    throw fail("INVALID_REQUEST", { message: `accessory key: ${rule}, got ${JSON.stringify(key.slice(0, 80))}` });
  }
  if (bytes <= maxAccessoryBytes) return;
  const message = `accessory ${key}: ${bytes} bytes, over ${maxAccessoryBytes} (maxAccessoryBytes)`;
  throw fail("PAYLOAD_TOO_LARGE", { message, limit: "maxAccessoryBytes", value: bytes });
}

/** Checks uploaded accessories; INVALID_REQUEST or PAYLOAD_TOO_LARGE naming key, limit and value. */
export function checkAccessories(
  { accessories: uploaded, withoutAccessories: without = [] }: DeployRequest,
  limits: Limits,
): void {
  for (const accessory of uploaded) checkOne(accessory, limits);
  const keys = uploaded.map(({ key }) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw fail("INVALID_REQUEST", { message: `accessory ${twice}: it is uploaded twice` });
  const both = keys.find((key) => without.includes(key));
  if (both !== undefined)
    throw fail("INVALID_REQUEST", { message: `accessory ${both}: it is both uploaded and taken away` });
}

/** What an upload says of accessories. */
interface Change {
  readonly staged: readonly StagedAccessory[];
  readonly without: readonly string[];
}

/** The accessories of the next version: those of the newest one stay unless the upload brings the same key again or takes it away. */
export function mergeAccessories(
  { staged, without }: Change,
  newest: Version | null,
  limits: Limits,
): Version["accessories"] {
  const kept = Object.entries(newest?.accessories ?? {}).filter(([key]) => !without.includes(key));
  const brought = staged.map(({ key, hash, bytes, filename }) => [key, { hash, bytes, filename }] as const);
  const merged: Version["accessories"] = Object.fromEntries([...kept, ...brought]);
  const count = Object.keys(merged).length;
  if (count <= limits.maxAccessories) return merged;
  const message = `accessories: ${count} files, over ${limits.maxAccessories} (maxAccessories)`;
  throw fail("INVALID_REQUEST", { message, limit: "maxAccessories", value: count });
}

/** True when two versions have the same accessories. */
export function sameAccessories(a: Version["accessories"], b: Version["accessories"]): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key]?.hash === b[key]?.hash);
}
