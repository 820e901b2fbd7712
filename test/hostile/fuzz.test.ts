import { afterAll, beforeAll, expect, test } from "vitest";
import { createRandom } from "../crash/random.ts";
import { startTakenPool, type TakenPool, type TakenRun } from "../support/taken-pool.ts";
import { within } from "../support/until.ts";
import { framesOf, postsOf } from "./frames.ts";

/** WEFT_FUZZ_SEED repeats a failure, WEFT_FUZZ_ROUNDS makes it a long search. */
const seed = Number(process.env["WEFT_FUZZ_SEED"] ?? Date.now() % 1_000_000);
const rounds = Number(process.env["WEFT_FUZZ_ROUNDS"] ?? 12);
const AT_ONCE = 4;

let taken: TakenPool;
beforeAll(async () => {
  taken = await startTakenPool();
});
afterAll(() => taken.close());

const HONEST = `const mine = []; for (let i = 0; i < 8; i++) { ctx.emit("mine", [ctx.input, i]); await ctx.sleep(3); mine.push(i); } ctx.log("mine"); return [ctx.input, mine];`;
const MINE = [0, 1, 2, 3, 4, 5, 6, 7];

/** An execution of another account that must not notice anything. */
function expectHonest({ outcome, host }: TakenRun, name: string): void {
  expect(outcome).toMatchObject({ status: "completed", output: JSON.stringify([name, MINE]) });
  expect(host.emitted.map(({ index, content }) => [index, content])).toEqual(
    MINE.map((i) => [i, JSON.stringify([name, i])]),
  );
  expect(host.lines.map(({ message }) => message)).toEqual(["mine"]);
  expect(host.records.map(({ op }) => op)).toEqual(MINE.map(() => "sleep"));
}

/** Whatever an attacker sent, the main thread is given only what it can take. */
function expectDecent({ outcome, host }: TakenRun): void {
  expect(["completed", "failed", "lost", "waiting"]).toContain(outcome.status);
  if (outcome.status === "completed") JSON.parse(outcome.output ?? "null");
  if (outcome.status === "failed") expect(outcome.error.code).not.toBe("INTERNAL");
  expect(host.emitted.map(({ index }) => index)).toEqual(host.emitted.map((_, i) => i));
  for (const { type, content } of host.emitted) expect([typeof JSON.parse(type), JSON.parse(content)]).toBeDefined();
  for (const { message, fields } of host.lines) expect([typeof message, JSON.parse(fields ?? "null")]).toBeDefined();
  for (const { payload, args } of host.records) expect([JSON.parse(payload), JSON.parse(args ?? "null")]).toBeDefined();
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
}

async function inRounds(play: (round: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    try {
      await within(play(round), () => `round ${round}`, 60_000);
    } catch (error) {
      console.error(`fuzzing failed in round ${round}: WEFT_FUZZ_SEED=${seed} WEFT_FUZZ_ROUNDS=${round + 1}`);
      throw error;
    }
  }
}

test("the attackers of these tests really have the host and the realm", async () => {
  const write = [{ text: 'e\t@RUN@\t0\t"x"\t"forged"\t0\nk\t@RUN@\t0\t"forged"\nt\t@RUN@\t5\n' }];
  const byHost = await taken.once("await ctx.sleep(50); return 1;", { input: { taken: { write, mute: false } } });
  expect(byHost.outcome).toMatchObject({ status: "completed", output: '"forged"' });
  expect(byHost.host.emitted).toMatchObject([{ content: '"forged"' }]);
  const byRealm = await taken.once(`stolenPost(5, 0, "", '"forged"', ""); return 1;`);
  expect(byRealm.outcome).toMatchObject({ status: "completed", output: '"forged"' });
});

test(
  "a host that was taken over disturbs nobody outside of it, whatever it writes",
  async () => {
    const random = createRandom(seed);
    await inRounds(async (round) => {
      const attacks = Array.from({ length: AT_ONCE }, () =>
        taken.once("await ctx.sleep(5); return 1;", { input: { taken: framesOf(random) }, timeoutMs: 1_500 }),
      );
      const beside = taken.run(HONEST, { account: "bystander", profile: "hardened", input: `round ${round}` });
      expectHonest(await beside, `round ${round}`);
      for (const attack of attacks) expectDecent(await attack);
    });
    expectHonest(await taken.run(HONEST, { account: "later", input: "later" }), "later");
  },
  rounds * 60_000,
);

test(
  "a realm that was taken over costs its own execution at most, also beside others in its process",
  async () => {
    const random = createRandom(seed + 1);
    await inRounds(async (round) => {
      const honest = ["frozen", "context", "isolate"] as const;
      const beside = honest.map((isolation) =>
        taken.once(HONEST, { account: "bystander", input: `${isolation} ${round}`, isolation }),
      );
      const attacks = Array.from({ length: AT_ONCE }, (_, i) =>
        taken.once(postsOf(random), { timeoutMs: 5_000, isolation: honest[i % 3] ?? "frozen" }),
      );
      for (const attack of attacks) expectDecent(await attack);
      for (const [i, run] of beside.entries()) expectHonest(await run, `${honest[i]} ${round}`);
    });
  },
  rounds * 60_000,
);
