import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BareRuntime, scriptOf, startBareRuntime } from "./bare-runtime.ts";

const TOKEN = 'tok"\\en-é-0123456789';
const PASSWORD = "hunter22hunter22";
const secrets = { token: TOKEN, password: PASSWORD };

let runtime: BareRuntime;
const seen: { readonly url: string; readonly authorization: string | undefined }[] = [];
const echo = createServer((request, response) => {
  seen.push({ url: request.url ?? "", authorization: request.headers.authorization });
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ you: request.headers.authorization, again: PASSWORD }));
});
let url = "";

beforeAll(async () => {
  runtime = await startBareRuntime();
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await runtime.close();
  echo.closeAllConnections();
  await new Promise((resolve) => echo.close(resolve));
});

const script = () =>
  scriptOf(`
  const { token, password } = ctx.secrets;
  const reply = await ctx.http.get("${url}/" + encodeURIComponent(password), { headers: { authorization: password } });
  const { you, again } = reply.json();
  const answer = await ctx.chat.completions.create({ messages: [{ role: "user", content: "use " + token }] });
  ctx.emit("leak", { token, list: [password] });
  ctx.write("text " + password);
  ctx.log("logged " + token, { password });
  console.error(password);
  return { same: you === password && again === password, echoed: answer.choices[0].message.content.includes(token) };`);

/** Everything that leaves the worker, as one text in which no secret may stand in any spelling. */
function expectHidden(...outside: readonly unknown[]): void {
  const text = JSON.stringify(outside);
  for (const value of [PASSWORD, TOKEN]) {
    const json = JSON.stringify(value).slice(1, -1);
    for (const spelling of [value, json, JSON.stringify(json).slice(1, -1)]) expect(text).not.toContain(spelling);
  }
}

test("secrets reach the upstreams and come back to the script, but never stand in journal, chunks or logs", async () => {
  const job = await runtime.job(script(), { secrets });
  const { host, ...outcome } = await runtime.finish(job);
  expect(outcome).toMatchObject({ status: "completed", output: '{"same":true,"echoed":true}' });
  expect(seen.at(-1)).toEqual({ url: `/${PASSWORD}`, authorization: PASSWORD });
  expect(host.emitted).toHaveLength(2);
  expect(host.lines).toHaveLength(2);
  expectHidden(host.records, host.emitted, host.lines);
  expect(JSON.stringify(host.emitted)).toContain("[secret token]");

  const calls = runtime.stub.calls.length;
  const requests = seen.length;
  const again = await runtime.finish(runtime.resume(job, host.records));
  expect(again).toMatchObject({ status: "completed", output: '{"same":true,"echoed":true}' });
  expect([runtime.stub.calls.length, seen.length]).toEqual([calls, requests]);
});

test("a new value of a secret does not make a replay diverge", async () => {
  const job = await runtime.job(
    scriptOf(`
    const ask = (text) => ctx.chat.completions.create({ messages: [{ role: "user", content: text }] });
    await ask("with " + ctx.secrets.password);
    await ask("more");
    return "done";`),
    { secrets },
  );
  const { host } = await runtime.finish(job);
  const other = {
    ...runtime.resume(job, host.records.slice(0, 1)),
    secrets: { ...secrets, password: "rotated-rotated" },
  };
  expect(await runtime.finish(other)).toMatchObject({ status: "completed", output: '"done"' });
});

test("an error that quotes a secret is shown without it", async () => {
  const failing = [
    `throw new Error("cannot use " + ctx.secrets.password);`,
    `throw new WorkflowError("no " + ctx.secrets.token, { status: 422, details: { token: ctx.secrets.token } });`,
    `throw ctx.secrets.password;`,
    `await ctx.http.get("http://127.0.0.1:1/?key=" + ctx.secrets.password, { retries: 0 }); return 1;`,
    `await ctx.chat.completions.create({ messages: ctx.secrets.token }); return 1;`,
  ];
  for (const body of failing) {
    const job = await runtime.job(`import { WorkflowError } from "weft";\n${scriptOf(body)}`, { secrets });
    const { host, ...outcome } = await runtime.finish(job);
    expect(outcome.status, body).toBe("failed");
    expectHidden(outcome, host.records);
  }
});

test("the error of a failed call is hidden in the journal and whole again for the script", async () => {
  runtime.stub.script({ status: 400, error: `bad token ${PASSWORD}` });
  const job = await runtime.job(
    scriptOf(`
    try { await ctx.chat.completions.create({ messages: [{ role: "user", content: "x" }] }); return "no error"; }
    catch (error) { return error.message.includes(ctx.secrets.password); }`),
    { secrets },
  );
  const { host, ...outcome } = await runtime.finish(job);
  expect(outcome).toMatchObject({ status: "completed", output: "true" });
  expectHidden(host.records);
  expect(await runtime.finish(runtime.resume(job, host.records))).toMatchObject({ output: "true" });
});
