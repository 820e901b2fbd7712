import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HostileServer, startHostileServer } from "../support/hostile.ts";
import { TAGGER } from "./scripts/escapes.ts";

let server: HostileServer;
beforeAll(async () => {
  server = await startHostileServer("fast", { WEFT_LIMIT_TURN_MS: "2000", WEFT_LIMIT_CPU_MS: "5000" });
});
afterAll(() => server.close());

describe.each(["frozen", "context", "isolate"])("between executions of one version at level %s", (level) => {
  const file = (body: string) =>
    `let kept: any = null; const stash: any[] = [];\nexport const config = { isolation: "${level}" };\nexport async function execute(ctx: any) {\n${body}\n}`;

  test("nothing that a script can reach keeps what it wrote on it", async () => {
    await server.upload(`tagger-${level}`, file(TAGGER));
    for (let i = 0; i < 3; i++) expect((await server.call(`tagger-${level}`)).body["output"]).toEqual([]);
  });

  test("an earlier ctx, its secrets and its closures are gone", async () => {
    await server.upload(
      `stash-${level}`,
      file(`const seen = [kept, stash.length, Object.keys(globalThis).filter((key) => key.startsWith("stash"))];
        kept = ctx; stash.push(ctx.secrets.token, () => ctx.emit("late", ctx.secrets.token));
        try { (globalThis as any).stashed = ctx; } catch {}
        setTimeout(() => { kept.emit("late", 1); }, 5);
        return seen;`),
    );
    for (const token of ["first-secret", "second-secret"]) {
      const { body } = await server.call(`stash-${level}`, { secrets: { token } });
      expect(body["output"]).toEqual([null, 0, []]);
    }
  });

  test("interleaved executions see their own input, clock and secrets only", async () => {
    await server.upload(
      `mixed-${level}`,
      file(`const mine = [];
        for (let i = 0; i < 5; i++) { await ctx.sleep(2); mine.push(ctx.input.n, ctx.secrets.token); }
        return [...new Set(mine)];`),
    );
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        server.call(`mixed-${level}`, { input: { n }, secrets: { token: `token-${n}` } }),
      ),
    );
    answers.forEach(({ body }, n) => {
      expect(body["output"]).toEqual([n, `token-${n}`]);
    });
  });
});
