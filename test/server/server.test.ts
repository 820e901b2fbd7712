import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseSettings } from "../../src/config.ts";
import { type Server, startServer } from "../../src/server.ts";
import { type DataDir, makeDataDir, testEnvironment } from "../support/data-dir.ts";
import { type SpawnedServer, spawnTestServer, startTestServer, TEST_KEY, type TestServer } from "../support/server.ts";
import { rejectionOf } from "../support/thrown.ts";

let dir: DataDir;

beforeEach(async () => {
  dir = await makeDataDir();
});

afterEach(() => dir.remove());

const noReport = (error: unknown) => {
  throw error;
};

const start = (more: Readonly<Record<string, string>>): Promise<Server> =>
  startServer(parseSettings(testEnvironment(dir.path, "", more)), noReport);

const ask = (url: string, key: string) =>
  fetch(`${url}/workflow/models`, { headers: { authorization: `Bearer ${key}` } });

describe("the owner's key", () => {
  test("is made on the first start only, works, and is kept hashed", async () => {
    const first = await start({});
    const { key } = first;
    expect(key).toMatch(/^weft_[\w-]{43}$/);
    expect((await ask(first.url, key ?? "")).status).toBe(200);
    expect((await ask(first.url, "weft_wrong")).status).toBe(401);
    await first.close();
    const second = await start({});
    expect(second.key).toBeNull();
    expect((await ask(second.url, key ?? "")).status).toBe(200);
    await second.close();
  });

  test("is WEFT_API_KEY when that is set", async () => {
    const server = await start({ WEFT_API_KEY: "my-own-key" });
    expect(server.key).toBeNull();
    expect((await ask(server.url, "my-own-key")).status).toBe(200);
    await server.close();
  });
});

describe("the examples", () => {
  test("are loaded into an empty store, and not a second time", async () => {
    const first = await start({ WEFT_EXAMPLES: "on" });
    expect(first.examples).toContain("hello");
    const { accountId, workflows } = first;
    await workflows.remove({ accountId, key: "hello" });
    // The datastores are not filled yet: that is what the next start goes on with.
    await first.close();
    const second = await start({ WEFT_EXAMPLES: "on" });
    expect(second.examples).toEqual([]);
    await second.filling.done;
    const { current } = await second.datastores.find({ accountId, key: "handbook" });
    expect(current?.rows).toBeGreaterThan(5);
    await second.close();
    const third = await start({ WEFT_EXAMPLES: "on" });
    expect(third.filling.datastores).toEqual([]);
    await third.close();
  });
});

describe("a start that cannot work", () => {
  test("on a port in use is refused and leaves nothing open", async () => {
    const server: TestServer = await startTestServer();
    const port = new URL(server.url).port;
    await expect(start({ WEFT_PORT: port })).rejects.toThrow();
    await server.close();
    const again = await start({ WEFT_PORT: port });
    await again.close();
  });

  test("on a data directory in use is refused", async () => {
    const server = await start({});
    expect((await rejectionOf(start({}))).code).toBe("CONFLICT");
    await server.close();
  });

  test("with a models file that is not there is refused, naming it", async () => {
    const error = await rejectionOf(start({ WEFT_MODELS: "/no/such/file.json" }));
    expect(error.message).toBe("WEFT_MODELS: cannot read /no/such/file.json");
  });
});

describe("a server process", () => {
  let server: SpawnedServer | null = null;

  afterEach(async () => {
    await server?.kill();
    server = null;
  });

  const call = (path: string, body?: unknown) =>
    fetch(`${server?.url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${TEST_KEY}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  test("killed at any moment loses nothing that it acknowledged", async () => {
    server = await spawnTestServer(dir.path);
    const script = "export async function execute(ctx) { return ctx.input }";
    expect((await call("/api/v1/workflows/upload", { workflow_ref_name: "echo", script })).status).toBe(200);
    for (let round = 0; round < 3; round++) {
      const body = { model: "workflow:echo", input: round, background: true };
      const accepted = await call("/workflow/chat/completions", body);
      expect(accepted.status).toBe(202);
      const { id } = (await accepted.json()) as { id: string };
      await server.kill();
      server = await spawnTestServer(dir.path);
      const look = async () => {
        const run = (await (await call(`/api/v1/runs/${id}`)).json()) as { data: { status: string } };
        return run.data.status;
      };
      await expect.poll(look).toBe("completed");
    }
    await server.stop();
  }, 120_000);
});
