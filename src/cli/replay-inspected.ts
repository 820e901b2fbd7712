import { existsSync } from "node:fs";
import inspector from "node:inspector";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Runtime, runInspected } from "../../runtime/index.ts";
import type { Recording } from "../recording/format.ts";
import type { CommandCall } from "./command.ts";
import { stop } from "./exit.ts";

/** Where a debugger connects unless it is said otherwise. */
export const DEFAULT_INSPECT = "127.0.0.1:9229";

function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const [, host = "127.0.0.1", port = ""] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  if (port !== "" && Number(port) <= 65_535) return { host, port: Number(port) };
  throw stop("usage", `--inspect: must be a port or host:port, got "${text}"`);
}

/** The file on disk where there is one, so that breakpoints set in an editor are met; else a name of its own. */
function addressIn(cwd: string, ref: string): (path: string) => string {
  return (path) => {
    const file = resolve(cwd, path);
    return existsSync(file) ? pathToFileURL(file).href : `weft:///${encodeURIComponent(ref)}/${path}`;
  };
}

/** A runner for one replay in this process: it opens the inspector and waits until a debugger has come. */
export async function openInspected(
  call: CommandCall,
  address: string,
  { head }: Recording,
): Promise<Pick<Runtime, "run">> {
  const { host, port } = parseAddress(address);
  inspector.open(port, host);
  call.io.stderr.write(
    `Debugger at ${inspector.url()}\nThe script runs without the sandbox; it begins when a debugger is there.\n`,
  );
  inspector.waitForDebugger();
  const addressOf = addressIn(call.io.cwd, head.execution.ref);
  return {
    async run(job, executionHost, bundle) {
      if (bundle === undefined || !("sourceMap" in bundle))
        throw stop("usage", "--inspect: the recording has no source map");
      const { hash, code, sourceMap } = bundle as { hash: string; code: string; sourceMap: string };
      return runInspected(job, executionHost, { bundle: { hash, code, sourceMap }, addressOf });
    },
  };
}
