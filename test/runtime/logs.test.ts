import { afterAll, beforeAll, expect, test } from "vitest";
import { type GuestHost, startGuestHost } from "../support/guest.ts";

let guest: GuestHost;

beforeAll(async () => {
  guest = await startGuestHost();
});
afterAll(() => guest.close());

const DROPPED = "warn log: more than 3 lines; the rest is dropped";

test("lines about unhandled rejections count like the script's own", async () => {
  const { logs, output } = await guest.run(
    `ctx.log("own");
    for (let i = 0; i < 6; i++) { Promise.reject(new Error("lost " + i)); await ctx.sleep(1); }
    ctx.log("too late");
    return 1;`,
    { limits: { maxLogLines: 3 } },
  );
  expect(output).toBe(1);
  expect(logs).toEqual(["info own", expect.stringMatching(/^warn Unhandled rejection: .*lost 0/), DROPPED]);
});

test("lines over the limit are dropped with a notice", async () => {
  const { logs } = await guest.run(`for (let i = 0; i < 9; i++) ctx.log(i); return 1;`, { limits: { maxLogLines: 3 } });
  expect(logs).toEqual(["info 0", "info 1", DROPPED]);
});
