import { resolve } from "node:path";
import { stop } from "./exit.ts";
import type { Io } from "./io.ts";
import { readKeyFile } from "./key-file.ts";

/** Where a command finds the server and what it shows it. */
export interface Connection {
  /** Without a slash at the end. */
  readonly url: string;
  readonly key: string | null;
}

const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);

/** The data directory the environment names, as an absolute path. */
export function dataDirOf(io: Io): string {
  return resolve(io.cwd, io.env["WEFT_DATA_DIR"] || ".weft");
}

function defaultUrl(io: Io): string {
  return `http://127.0.0.1:${io.env["WEFT_PORT"] || "8787"}`;
}

/** Reads WEFT_URL and WEFT_API_KEY; the key file is used only for a server on this machine, so it never leaves it. */
export function parseConnection(io: Io): Connection {
  const text = io.env["WEFT_URL"] || defaultUrl(io);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw stop("usage", `WEFT_URL must be an http or https address, got "${text}"`);
  const key = io.env["WEFT_API_KEY"] || (LOOPBACK.has(url.hostname) ? readKeyFile(dataDirOf(io)) : null);
  return { url: url.href.replace(/\/+$/, ""), key };
}
