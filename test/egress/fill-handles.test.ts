import { afterAll, beforeAll, expect, test } from "vitest";
import { createEgressClient, type EgressClient, type EgressRequest } from "../../runtime/egress/client.ts";
import { handleText, type SecretHandle } from "../../runtime/egress/secret-handles.ts";
import { rejectionOf } from "../support/thrown.ts";
import { startWebStub, type WebStub } from "./upstream.ts";

const VALUE = 'token "/with+ all&kinds=';
const SEED = "ab".repeat(32);
const TEXT = handleText(SEED, "TOKEN");

let web: WebStub;
let other: WebStub;
let client: EgressClient;
let handles: readonly SecretHandle[];

beforeAll(async () => {
  other = await startWebStub((_request, response) => response.end("other"));
  web = await startWebStub((request, response) => {
    const url = new URL(request.url ?? "/", "http://stub");
    const to = url.searchParams.get("to");
    const body = web.requests.at(-1)?.body ?? "";
    if (url.pathname === "/leak")
      response.writeHead(302, { location: `${other.url}/?k=${encodeURIComponent(VALUE)}` }).end();
    else if (to !== null) response.writeHead(307, { location: to }).end();
    else {
      const { authorization = "" } = request.headers;
      const text = JSON.stringify({ url: request.url, authorization, body });
      response.writeHead(200, { "x-echo": authorization, "content-length": text.length }).end(text);
    }
  });
  handles = [{ name: "TOKEN", text: TEXT, value: VALUE, hosts: [`127.0.0.1:${web.port}`] }];
  client = createEgressClient({ allowPrivate: ["127.0.0.1/32"] });
});
afterAll(async () => {
  await client.close();
  await web.close();
  await other.close();
});

const send = (changes: Partial<EgressRequest>) =>
  client.request({
    ...{ method: "GET", url: web.url, headers: {}, body: null, allow: null, redirect: "follow", timeoutMs: 20_000 },
    ...{ maxBytes: 100_000, signal: new AbortController().signal, handles },
    ...changes,
  });
const last = () => web.requests.at(-1);

test("the text of a handle differs between executions and secrets, and says nothing of them", () => {
  expect(TEXT).toMatch(/^weft_secret_[\w-]{32}$/);
  expect(handleText(SEED, "TOKEN")).toBe(TEXT);
  expect(new Set([TEXT, handleText(SEED, "OTHER"), handleText("cd".repeat(32), "TOKEN")]).size).toBe(3);
});

test("it is replaced in headers, basic authorization, paths, queries and bodies, as each writes it", async () => {
  await send({ headers: { authorization: `Bearer ${TEXT}` } });
  expect(last()?.request.headers.authorization).toBe(`Bearer ${VALUE}`);
  await send({ headers: { authorization: `Basic ${Buffer.from(`user:${TEXT}`).toString("base64")}` } });
  expect(last()?.request.headers.authorization).toBe(`Basic ${Buffer.from(`user:${VALUE}`).toString("base64")}`);
  await send({ url: `${web.url}/bot${TEXT}/x?key=${TEXT}&a=1` });
  expect(last()?.request.url).toBe(`/bot${encodeURIComponent(VALUE)}/x?key=${encodeURIComponent(VALUE)}&a=1`);
  const post = (type: string, body: string | Uint8Array) =>
    send({ method: "POST", headers: { "content-type": type }, body });
  await post("application/json", JSON.stringify({ a: [TEXT] }));
  expect(JSON.parse(last()?.body ?? "")).toEqual({ a: [VALUE] });
  await post("application/x-www-form-urlencoded", `a=${TEXT}`);
  expect(new URLSearchParams(last()?.body).get("a")).toBe(VALUE);
  await post("text/plain", Buffer.from(`ü ${TEXT}`));
  expect(last()?.body).toBe(`ü ${VALUE}`);
  await send({ headers: { authorization: "Bearer weft_secret_another" } });
  expect(last()?.request.headers.authorization).toBe("Bearer weft_secret_another");
});

test("an answer that repeats the value has the text again, in its headers and its body", async () => {
  const answer = await send({ method: "POST", headers: { authorization: TEXT }, body: TEXT });
  const shown = JSON.stringify([answer.headers, Buffer.from(answer.body).toString()]);
  expect(shown).not.toContain("with+ all");
  expect(answer.headers["x-echo"]).toBe(TEXT);
  expect(answer.headers["content-length"]).toBeUndefined();
  expect(JSON.parse(Buffer.from(answer.body).toString())).toEqual({ url: "/", authorization: TEXT, body: TEXT });
});

test.each([
  ["header", () => ({ url: other.url, headers: { "x-key": TEXT } })],
  ["basic authorization", () => ({ url: other.url, headers: { a: `Basic ${Buffer.from(TEXT).toString("base64")}` } })],
  ["query", () => ({ url: `${other.url}/?a=${TEXT}` })],
  ["body", () => ({ url: other.url, method: "POST", body: `a ${TEXT}` })],
  ["bytes", () => ({ url: other.url, method: "POST", body: Buffer.from(TEXT) })],
])("a request to another host with it in its %s is refused before anything is sent", async (_where, changes) => {
  const before = other.requests.length;
  const refused = await rejectionOf(send(changes()));
  expect(refused).toMatchObject({ code: "CAPABILITY_DENIED", details: { secret: "TOKEN" } });
  expect(refused.message).toContain(`127.0.0.1:${other.port}`);
  expect(refused.message).not.toContain("with+ all");
  expect(other.requests.length).toBe(before);
});

test.each([
  ["body that is kept", () => ({ url: `${web.url}/?to=${other.url}`, method: "POST", body: TEXT })],
  ["header that is no credential", () => ({ url: `${web.url}/?to=${other.url}`, headers: { "x-tenant": TEXT } })],
  ["location that the server makes of the value", () => ({ url: `${web.url}/leak`, headers: { authorization: TEXT } })],
])("a redirect to another host does not carry the value on in a %s", async (_where, changes) => {
  const before = other.requests.length;
  expect(await rejectionOf(send(changes()))).toMatchObject({ code: "CAPABILITY_DENIED" });
  expect(other.requests.length).toBe(before);
});

test("credentials stay behind at a redirect to another host, and go along within the host", async () => {
  const url = `${web.url}/?to=${encodeURIComponent(`${web.url}/next`)}`;
  await send({ url, headers: { authorization: TEXT } });
  expect(last()?.request).toMatchObject({ url: "/next", headers: { authorization: VALUE } });
  const answer = await send({ url: `${web.url}/?to=${other.url}`, headers: { authorization: TEXT } });
  expect(Buffer.from(answer.body).toString()).toBe("other");
  expect(other.requests.at(-1)?.request.headers.authorization).toBeUndefined();
});

test("a stream's request is filled or refused in the same way", async () => {
  const { signal } = new AbortController();
  const open = (url: string) =>
    client.open({ method: "POST", url, headers: { authorization: TEXT }, body: TEXT, allow: null, signal, handles });
  const { headers, body } = await open(web.url);
  for await (const _piece of body);
  expect(last()).toMatchObject({ body: VALUE, request: { headers: { authorization: VALUE } } });
  expect(headers["x-echo"]).toBe(TEXT);
  expect(await rejectionOf(open(other.url))).toMatchObject({ code: "CAPABILITY_DENIED" });
});
