import { openAsBlob } from "node:fs";
import { basename, resolve } from "node:path";
import { type Api, toError } from "./api.ts";
import { stop } from "./exit.ts";
import { asRecord } from "./json.ts";
import type { LocalFile } from "./sources.ts";

/** One upload of a script. */
export interface UploadRequest {
  /** The entry first. */
  readonly sources: readonly LocalFile[];
  /** Form fields beside the files; values are texts. */
  readonly fields: Readonly<Record<string, string>>;
  /** Accessory key → path on disk. */
  readonly accessories: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Told how many bytes have been sent. */
  onProgress(sent: number): void;
}

async function openFile(path: string, shown: string): Promise<Blob> {
  try {
    return await openAsBlob(path);
  } catch {
    throw stop("usage", `${shown}: cannot be read`);
  }
}

async function toForm(request: UploadRequest): Promise<FormData> {
  const form = new FormData();
  for (const [name, value] of Object.entries(request.fields)) form.append(name, value);
  const [entry, ...others] = request.sources;
  if (entry !== undefined) form.append("script_file", new Blob([entry.text]), entry.path);
  for (const file of others) form.append("files", new Blob([file.text]), file.path);
  for (const [key, path] of Object.entries(request.accessories)) {
    form.append(`accessory_${key}`, await openFile(resolve(request.cwd, path), path), basename(path));
  }
  return form;
}

/** The same bytes, counted as they pass. */
export function counted(
  body: ReadableStream<Uint8Array>,
  onProgress: (sent: number) => void,
): ReadableStream<Uint8Array> {
  let sent = 0;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        sent += bytes.byteLength;
        onProgress(sent);
        controller.enqueue(bytes);
      },
    }),
  );
}

/** Uploads a script and its accessories; returns the `data` of the answer. */
export async function upload(api: Api, request: UploadRequest): Promise<unknown> {
  // A Response is the only built-in that turns a form into a stream of known type, which is what can be counted.
  const encoded = new Response(await toForm(request));
  if (encoded.body === null) throw toError(null, 400);
  const body = counted(encoded.body, request.onProgress);
  const headers = { "content-type": encoded.headers.get("content-type") ?? "multipart/form-data" };
  return asRecord(await api.call("/api/v1/workflows/upload", { method: "POST", body, headers }))["data"];
}
