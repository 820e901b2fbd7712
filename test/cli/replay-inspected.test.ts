import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../support/server.ts";
import { until, within } from "../support/until.ts";
import { weft } from "./capture.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/weft.mjs", import.meta.url));
const SCRIPT = `export async function execute(ctx: { input: { n: number }; sleep(ms: number): Promise<void> }) {
  await ctx.sleep(5);
  const doubled = ctx.input.n * 2;
  return { doubled };
}
`;

let server: TestServer;
let cwd = "";
beforeAll(async () => {
  server = await startTestServer();
  cwd = mkdtempSync(join(tmpdir(), "weft-inspect-"));
});
afterAll(async () => {
  await server.close();
  rmSync(cwd, { recursive: true, force: true });
});

type Message = { readonly id?: number; readonly method?: string; readonly params?: Record<string, unknown> };

/** A small client of the inspector's protocol. */
async function connect(url: string) {
  const socket = new WebSocket(url);
  await once(socket, "open");
  const seen: Message[] = [];
  const waiting = new Set<() => void>();
  socket.addEventListener("message", ({ data }) => {
    seen.push(JSON.parse(String(data)) as Message);
    for (const look of waiting) look();
  });
  let nextId = 1;
  const until = (matches: (message: Message) => boolean): Promise<Message> => {
    const matching = new Promise<Message>((resolve) => {
      const look = () => {
        const index = seen.findIndex(matches);
        if (index < 0) return;
        waiting.delete(look);
        resolve(seen.splice(index, 1)[0] as Message);
      };
      waiting.add(look);
      look();
    });
    return within(matching, () => `${matches}; last messages: ${JSON.stringify(seen.slice(-5))}`);
  };
  const send = (method: string, params: object = {}) => {
    const id = nextId++;
    socket.send(JSON.stringify({ id, method, params }));
    return until((message) => message.id === id);
  };
  return { send, until, close: () => socket.close() };
}

test("a debugger meets the author's TypeScript lines, and the result is the recorded one", async () => {
  writeFileSync(join(cwd, "double.ts"), SCRIPT);
  const run = (args: readonly string[]) =>
    weft(args, { cwd, env: { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey } });
  await run(["deploy", "double.ts"]);
  const { out } = await run(["run", "double", "--input", '{"n":21}', "--background", "--json"]);
  const { id } = JSON.parse(out) as { id: string };
  await run(["logs", id, "--follow"]);
  await run(["pull", id, "--output", "double.jsonl"]);

  const child = spawn(process.execPath, [MAIN, "replay", "double.jsonl", "--inspect", "127.0.0.1:0"], { cwd });
  try {
    let err = "";
    let printed = "";
    child.stdout.on("data", (data) => {
      printed += data;
    });
    child.stderr.on("data", (data) => {
      err += data;
    });
    const address = await until(() => /Debugger at (ws:\S+)/.exec(err)?.[1]);
    const debug = await connect(address);
    await debug.send("Runtime.enable");
    await debug.send("Debugger.enable");
    await debug.send("Runtime.runIfWaitingForDebugger");
    const pausedIn = async () => {
      const { params } = await debug.until(({ method }) => method === "Debugger.paused");
      return (params as { callFrames: [{ location: { scriptId: string } }] }).callFrames[0].location.scriptId;
    };
    const isOurs = ({ method, params }: Message) =>
      method === "Debugger.scriptParsed" && /^weft:[0-9a-f]{64}$/.test(String(params?.["url"]));
    const scriptId = debug.until(isOurs).then((parsed) => parsed.params ?? {});
    // The process itself may pause once when a debugger has come.
    let paused = await pausedIn();
    if ((await Promise.race([scriptId, null]))?.["scriptId"] !== paused) {
      await debug.send("Debugger.resume");
      paused = await pausedIn();
    }
    const parsed = await scriptId;
    expect(parsed["scriptId"]).toBe(paused);
    const encoded = String(parsed["sourceMapURL"]).split("base64,")[1] ?? "";
    const { sources } = JSON.parse(Buffer.from(encoded, "base64").toString()) as { sources: string[] };
    expect(sources).toContain(pathToFileURL(join(cwd, "double.ts")).href);
    await debug.send("Debugger.resume");
    // Node itself then waits for the debugger to leave.
    await until(() => err.includes("Waiting for the debugger to disconnect"));
    debug.close();
    expect(JSON.parse(printed)).toEqual({ doubled: 42 });
    expect(err).toContain("without the sandbox");
    expect(err).toContain("identical");
  } finally {
    child.kill("SIGKILL");
  }
});

test("an address that is none is refused before anything runs", async () => {
  writeFileSync(join(cwd, "none.jsonl"), "");
  const { code, err } = await weft(["replay", "double.jsonl", "--inspect", "99999"], { cwd });
  expect(code).toBe(2);
  expect(err).toContain('--inspect: must be a port or host:port, got "99999"');
});
