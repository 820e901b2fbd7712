import { expect, test } from "vitest";
import { FairQueue } from "../../runtime/capabilities/crypto-queue.ts";

/** Work that ends when it is told to; `started` lists what runs or has run. */
function createWork(queue: FairQueue) {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const add = (owner: object, name: string, signal = new AbortController().signal) =>
    queue.run(owner, signal, () => {
      started.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string) => {
    ends.get(name)?.();
    await settled();
  };
  return { started, add, end };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("runs at most so many at once, one per owner, and takes turns between owners", async () => {
  const { started, add, end } = createWork(new FairQueue(2));
  const [a, b, c] = [{}, {}, {}];
  const all = [add(a, "a1"), add(a, "a2"), add(a, "a3"), add(b, "b1"), add(b, "b2"), add(c, "c1")];
  await settled();
  expect(started).toEqual(["a1", "b1"]);
  for (const name of ["a1", "c1", "a2", "b1", "b2", "a3"]) await end(name);
  expect(started).toEqual(["a1", "b1", "c1", "a2", "a3", "b2"]);
  await Promise.all(all);
});

test("gives the place on when work fails or is no longer wanted", async () => {
  const queue = new FairQueue(1);
  const ended = new AbortController();
  const failing = queue.run({}, new AbortController().signal, () => Promise.reject(new Error("broken")));
  const unwanted = queue.run({}, ended.signal, () => Promise.resolve("never"));
  const next = queue.run({}, new AbortController().signal, () => Promise.resolve("done"));
  ended.abort(new Error("ended"));
  await expect(failing).rejects.toThrow("broken");
  await expect(unwanted).rejects.toThrow("ended");
  await expect(next).resolves.toBe("done");
});
