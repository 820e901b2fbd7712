import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A temporary data directory. */
export interface DataDir {
  readonly path: string;
  remove(): Promise<void>;
}

/** Makes a temporary data directory; call `remove` when done. */
export async function makeDataDir(): Promise<DataDir> {
  const path = await mkdtemp(join(tmpdir(), "weft-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Environment of a test server: a free port, one worker, no examples, a known key, loopback allowed to scripts. */
export function testEnvironment(
  dataDir: string,
  apiKey: string,
  extra: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    WEFT_PORT: "0",
    WEFT_DATA_DIR: dataDir,
    WEFT_API_KEY: apiKey,
    WEFT_WORKERS: "1",
    WEFT_EXAMPLES: "off",
    WEFT_HTTP_ALLOW_PRIVATE: "127.0.0.0/8",
    WEFT_STOP_GRACE_MS: "1000",
    // However busy the machine of the tests is.
    WEFT_MAX_DELAY_MS: "600000",
    ...extra,
  };
}
