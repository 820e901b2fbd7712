import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { framesOf, readerOf, type Service, startService } from "./service.ts";

let service: Service;
let isClosed = false;
beforeAll(async () => {
  service = await startService({ WEFT_STOP_GRACE_MS: "0" });
  await service.deploy("sleeps", `export const execute = (ctx) => { ctx.emit("begun"); return ctx.sleep("1h"); };`);
});
afterAll(async () => {
  if (!isClosed) await service.close();
});

test("open requests get their answers when the server stops, and the port is free", async () => {
  const streaming = await service.invoke("sleeps", { input: 1, stream: true });
  const reader = readerOf(streaming);
  await reader.to("begun");
  const whole = service.invoke("sleeps", { input: 2 });
  await until(async () => {
    const { data } = (await (await service.send("/api/v1/workflows/sleeps/runs")).json()) as {
      data: readonly { status: string }[];
    };
    return data.length === 2 && data.every((run) => run.status !== "queued");
  });
  const closing = service.close();
  const answer = await whole;
  expect(answer.status).toBe(503);
  expect(answer.headers.get("x-should-retry")).toBe("true");
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(await answer.json()).toMatchObject({ error: { code: "draining", type: "server_error" } });
  const text = await reader.toEnd();
  expect(framesOf(text)).toMatchObject([{ type: "begun" }, { error: { code: "draining", status: 503 } }]);
  expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  await closing;
  isClosed = true;
  await expect(fetch(`${service.url}/livez`)).rejects.toThrow();
});
