import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConnectGuard, createDispatcher } from "../../runtime/egress/dispatcher.ts";
import { startWebStub, type WebStub } from "./upstream.ts";

let web: WebStub;

beforeAll(async () => {
  web = await startWebStub((_request, response) => response.end("ok"));
});

afterAll(() => web.close());

async function send(guard: ConnectGuard, host: string): Promise<number> {
  const dispatcher = createDispatcher({ guard });
  try {
    const url = new URL(`http://${host}:${web.port}/`);
    const { signal } = new AbortController();
    const answer = await dispatcher.send({ method: "GET", url, headers: {}, body: null, signal });
    await answer.discard();
    return answer.status;
  } finally {
    await dispatcher.close();
  }
}

const toLoopback: ConnectGuard["lookup"] = (_host, options, callback) => {
  if (options.all === true) callback(null, [{ address: "127.0.0.1", family: 4 }]);
  else callback(null, "127.0.0.1", 4);
};

describe("guarded connections", () => {
  test("go to the address the guard's lookup gave", async () => {
    expect(await send({ lookup: toLoopback, refusal: () => null }, "pinned.example.com")).toBe(200);
  });

  test("are closed before a byte is sent when they ended up at a refused address", async () => {
    const before = web.requests.length;
    const seen: string[] = [];
    const refusal = (address: string) => {
      seen.push(address);
      return new Error("strayed");
    };
    await expect(send({ lookup: toLoopback, refusal }, "pinned.example.com")).rejects.toThrow("strayed");
    expect(seen).toEqual(["127.0.0.1"]);
    expect(web.requests.length).toBe(before);
  });

  test("to a literal address are not even opened when it is refused", async () => {
    const before = web.connections();
    await expect(send({ lookup: toLoopback, refusal: () => new Error("no") }, "127.0.0.1")).rejects.toThrow("no");
    expect(web.connections()).toBe(before);
  });
});
