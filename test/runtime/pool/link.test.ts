import { MessageChannel } from "node:worker_threads";
import { expect, test } from "vitest";
import { openLink } from "../../../runtime/pool/link.ts";
import { until } from "../../support/until.ts";

test("what cannot be cloned is given back in its place; all others of its turn arrive, in order", async () => {
  const { port1, port2 } = new MessageChannel();
  const received: unknown[] = [];
  const unsent: [unknown, string][] = [];
  const sender = openLink<unknown, never>(
    port1,
    () => undefined,
    (message, error) => {
      unsent.push([message, (error as Error).name]);
      sender.send("instead");
    },
  );
  const receiver = openLink<never, unknown>(
    port2,
    (message) => received.push(message),
    () => undefined,
  );
  const broken = { value: () => 1 };
  for (const message of ["first", broken, { n: 2 }, "last"]) sender.send(message);
  await until(() => received.length === 4);
  expect(received).toEqual(["first", { n: 2 }, "last", "instead"]);
  expect(unsent).toEqual([[broken, "DataCloneError"]]);
  sender.close();
  receiver.close();
});
