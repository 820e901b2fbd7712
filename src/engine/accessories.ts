import { hash } from "node:crypto";
import { fail, type Limits } from "../../runtime/index.ts";
import type { Store, Version } from "../store/store.ts";
import type { DeployRequest } from "./workflows.ts";

type Uploaded = DeployRequest["accessories"];

const KEY = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

function checkOne({ key, bytes }: Uploaded[number], { maxAccessoryBytes }: Limits): void {
  if (!KEY.test(key)) {
    const rule = 'must be 1 to 64 letters, digits, "_", "." or "-", beginning with a letter or digit';
    throw fail("INVALID_REQUEST", { message: `accessory key: ${rule}, got ${JSON.stringify(key.slice(0, 80))}` });
  }
  if (bytes.byteLength <= maxAccessoryBytes) return;
  const message = `accessory ${key}: ${bytes.byteLength} bytes, over ${maxAccessoryBytes} (maxAccessoryBytes)`;
  throw fail("PAYLOAD_TOO_LARGE", { message, limit: "maxAccessoryBytes", value: bytes.byteLength });
}

/** Checks uploaded accessories; INVALID_REQUEST or PAYLOAD_TOO_LARGE naming key, limit and value. */
export function checkAccessories(uploaded: Uploaded, limits: Limits): void {
  for (const accessory of uploaded) checkOne(accessory, limits);
  const keys = uploaded.map(({ key }) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw fail("INVALID_REQUEST", { message: `accessory ${twice}: it is uploaded twice` });
}

/** The accessories of the next version: those of the newest one stay unless the upload brings the same key again. */
export function mergeAccessories(uploaded: Uploaded, newest: Version | null, limits: Limits): Version["accessories"] {
  const merged = { ...newest?.accessories };
  for (const { key, filename, bytes } of uploaded) {
    merged[key] = { hash: hash("sha256", bytes, "hex"), bytes: bytes.byteLength, filename };
  }
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

/** Stores the content of uploaded accessories; a version that names them may follow without waiting. */
export async function putAccessories(uploaded: Uploaded, store: Store): Promise<void> {
  await Promise.all(uploaded.map(({ bytes }) => store.putBlob({ hash: hash("sha256", bytes, "hex"), bytes })));
}
