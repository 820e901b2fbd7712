import { describe, expect, it } from "vitest";
import { Shelf } from "../../runtime/worker/shelf.ts";
import { DONE, underWay } from "./under-way.ts";

const MIB = 1024 * 1024;

describe("a shelf", () => {
  it("gives a call back with what came of it meanwhile, in order, and then the rest goes to its owner", async () => {
    const { call, owner, told, end, request } = underWay();
    request.part("1");
    const bytes = { total: 0 };
    const shelf = new Shelf(bytes);
    shelf.add(call);
    request.part("2");
    request.hold(7);
    expect(bytes.total).toBe(8);
    expect(shelf.take(0, "hash", 1, owner)).toMatchObject({ call, parts: ["2"], completion: null });
    expect([shelf.size, bytes.total, call.heldBytes]).toEqual([0, 0, 7]);
    request.part("3");
    await end();
    expect(told).toEqual(["1", "3", '"done"']);
  });

  it("keeps a completion", async () => {
    const { call, owner, end, request } = underWay();
    request.hold(100);
    const bytes = { total: 0 };
    const shelf = new Shelf(bytes);
    shelf.add(call);
    await end();
    expect([bytes.total, call.heldBytes]).toEqual([6, 0]);
    expect(shelf.take(0, "hash", 0, owner)).toMatchObject({ completion: DONE });
  });

  it("keeps no refusal of a call whose attempt was over, and what a service refused like any other end", async () => {
    const end = async (code: string) => {
      const { call, owner, fails } = underWay();
      const bytes = { total: 0 };
      const shelf = new Shelf(bytes);
      shelf.add(call);
      await fails(code);
      return [shelf.take(0, "hash", 0, owner) !== null, bytes.total];
    };
    for (const code of ["CONFLICT", "EXECUTION_NOT_FOUND"]) expect(await end(code)).toEqual([false, 0]);
    expect(await end("UPSTREAM_FAILED")).toEqual([true, 0]);
  });

  it.each([
    ["of another position", { pos: 1, hash: "hash", delivered: 0 }],
    ["with another hash", { pos: 0, hash: "other", delivered: 0 }],
    ["whose parts the guest has not seen", { pos: 0, hash: "hash", delivered: 1 }],
  ])("does not give a call %s", (_, { pos, hash, delivered }) => {
    const { call, owner, request } = underWay();
    const shelf = new Shelf({ total: 0 });
    shelf.add(call);
    expect(shelf.take(pos, hash, delivered, owner)).toBeNull();
    expect(request.signal.aborted).toBe(pos === 0);
    shelf.clear();
    expect(request.signal.aborted).toBe(true);
  });

  it("is cleared when all shelves together pass their limit of 64 MiB; others stay", () => {
    const bytes = { total: 0 };
    const [small, large, other] = [underWay(0), underWay(1), underWay(0)];
    const shelf = new Shelf(bytes);
    shelf.add(small.call);
    shelf.add(large.call);
    const stays = new Shelf(bytes);
    stays.add(other.call);
    other.request.hold(MIB);
    large.request.hold(63 * MIB);
    expect(shelf.size).toBe(2);
    small.request.part("x");
    expect([small, large, other].map(({ request }) => request.signal.aborted)).toEqual([true, true, false]);
    expect([shelf.size, stays.size, bytes.total]).toEqual([0, 1, MIB]);
    large.request.hold(1);
    expect(bytes.total).toBe(MIB);
  });
});
