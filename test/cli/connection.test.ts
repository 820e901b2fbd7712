import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseConnection } from "../../src/cli/connection.ts";
import { keyFile, readKeyFile, writeKeyFile } from "../../src/cli/key-file.ts";
import { captureIo } from "./capture.ts";

let dataDir = "";
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "weft-key-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const connect = (env: Readonly<Record<string, string>>) =>
  parseConnection(captureIo({ env: { WEFT_DATA_DIR: dataDir, ...env } }).io);

describe("the key file", () => {
  test("is readable by its owner only and replaces an older one", () => {
    writeKeyFile(dataDir, "weft_old");
    writeKeyFile(dataDir, "weft_new");
    expect(statSync(keyFile(dataDir)).mode & 0o777).toBe(0o600);
    expect(readFileSync(keyFile(dataDir), "utf8")).toBe("weft_new\n");
    expect(readKeyFile(dataDir)).toBe("weft_new");
  });

  test("is ignored when others may read it", () => {
    writeKeyFile(dataDir, "weft_key");
    chmodSync(keyFile(dataDir), 0o644);
    expect(readKeyFile(dataDir)).toBeNull();
  });
});

describe("a connection", () => {
  test("is to this machine by default, with the key of the key file", () => {
    writeKeyFile(dataDir, "weft_key");
    expect(connect({})).toEqual({ url: "http://127.0.0.1:8787", key: "weft_key" });
    expect(connect({ WEFT_PORT: "9000" }).url).toBe("http://127.0.0.1:9000");
  });

  test("never shows the key file's key to another machine", () => {
    writeKeyFile(dataDir, "weft_key");
    expect(connect({ WEFT_URL: "https://weft.example.com/" })).toEqual({ url: "https://weft.example.com", key: null });
    expect(connect({ WEFT_URL: "http://127.0.0.1.example.com" }).key).toBeNull();
  });

  test("prefers WEFT_API_KEY", () => {
    writeKeyFile(dataDir, "weft_key");
    expect(connect({ WEFT_API_KEY: "other" }).key).toBe("other");
  });

  test("needs an http address", () => {
    expect(() => connect({ WEFT_URL: "ftp://x" })).toThrow('WEFT_URL must be an http or https address, got "ftp://x"');
  });
});
