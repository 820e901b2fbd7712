import { expect, test } from "vitest";
import { MethodTable } from "../../src/http/method-table.ts";

test("knows the methods of a path, whatever its pattern", () => {
  const table = new MethodTable();
  table.add(["GET", "HEAD"], "/runs/:id");
  table.add("DELETE", "/runs/:id");
  table.add("POST", "/runs/all");
  table.add("GET", "/files/*");
  table.add("GET", "/flows/:id(^wf_[0-9a-f]{32}$)");
  expect(table.allowed("/runs/1")).toEqual(["DELETE", "GET", "HEAD"]);
  expect(table.allowed("/runs/1/")).toEqual(["DELETE", "GET", "HEAD"]);
  expect(table.allowed("/runs/all")).toEqual(["DELETE", "GET", "HEAD", "POST"]);
  expect(table.allowed("/files/a/b")).toEqual(["GET"]);
  expect(table.allowed("/flows/anything")).toEqual(["GET"]);
  expect(table.allowed("/runs")).toEqual([]);
  expect(table.allowed("/runs/1/2")).toEqual([]);
});
