import { toFileId } from "../../../engine/files/file-id.ts";
import type { StoredFile } from "../../../engine/files/file-service.ts";
import { toExecId } from "../../ids.ts";

/** How far an upload is: `failed` when the time for it is over. */
export function fileStatusOf({ hash, until }: StoredFile, now: number): "ready" | "uploading" | "failed" {
  if (hash !== null) return "ready";
  return until !== null && until > now ? "uploading" : "failed";
}

/** A file as the API shows it. Times are seconds since the epoch. */
export function toFileView(file: StoredFile): Record<string, unknown> {
  const { id, executionId } = file;
  return {
    id: toFileId(id),
    object: "file",
    name: file.name,
    bytes: file.bytes,
    content_type: file.contentType,
    status: fileStatusOf(file, Date.now()),
    sha256: file.hash,
    run: executionId === null ? null : toExecId(executionId),
    scope_type: file.scopeType,
    scope_id: file.scopeId,
    created_at: file.createdAt / 1_000,
    content_url: `/api/v1/files/${toFileId(id)}/content`,
  };
}
