import { describe, expect, test } from "vitest";
import { cutText } from "../../runtime/capabilities/cut-text.ts";
import { files } from "../../runtime/capabilities/files.ts";
import { PIECE_BYTES } from "../../runtime/capabilities/read-part.ts";
import type { FileRequest } from "../../runtime/file-request.ts";
import { testCall } from "./op-call.ts";

const INFO = { id: "file_1", name: "a", bytes: 9, content_type: "text/plain" };
const services = {} as Parameters<typeof testCall>[0]["services"];

/** Runs an op as a worker does; what it asked of the main thread, and what it answered. */
async function run(name: string, args: unknown, answer: unknown) {
  const asked: FileRequest[] = [];
  const call = testCall({ services });
  const ask = async (request: FileRequest) => {
    asked.push(request);
    return answer as never;
  };
  const scope = { ...call.scope, files: ask };
  const op = files.ops[name];
  if (op === undefined) throw new Error(`no op ${name}`);
  const result = await op.run(op.parse(args, scope), { ...call, scope });
  return { asked, result: JSON.parse(result) as unknown };
}

const refusal = (name: string, args: unknown) => {
  try {
    files.ops[name]?.parse(args, testCall({ services }).scope);
  } catch (error) {
    return (error as Error).message;
  }
  return null;
};

describe("files", () => {
  test("reads at most a piece, and says where the next one begins", async () => {
    const bytes = Buffer.from("abc€");
    const part = { info: { ...INFO, bytes: 100 }, bytes: bytes.subarray(0, 5) };
    const { asked, result } = await run("files.read", { id: "file_1", as: "text", offset: 4, length: 1e12 }, part);
    expect(asked).toEqual([{ kind: "read", id: "file_1", offset: 4, length: PIECE_BYTES }]);
    expect(result).toEqual({ data: "abc", next: 7, bytes: 100 });
    const last = await run("files.read", { id: "file_1", as: "base64" }, { info: INFO, bytes: Buffer.alloc(9) });
    expect(last.result).toEqual({ data: "AAAAAAAAAAAA", next: null, bytes: 9 });
  });

  test("brings pieces under the position of their op, and writes them by it", async () => {
    const piece = await run("files.piece", { data: "/wA=", encoding: "base64" }, 7);
    expect(piece).toEqual({ asked: [{ kind: "piece", pos: 7, bytes: Buffer.from([255, 0]) }], result: 7 });
    const write = await run("files.write", { name: "x", pieces: [3, 4] }, INFO);
    expect(write.asked).toEqual([{ kind: "write", pos: 7, name: "x", contentType: "", content: [3, 4] }]);
  });

  test.each([
    ["files.read", null, "arguments must be an object"],
    ["files.read", {}, "id must be a string, got undefined"],
    ["files.read", { id: "a", offset: -1 }, "offset must be a whole number from 0, got -1"],
    ["files.read", { id: "a", length: 1.5 }, "length must be a whole number from 0, got 1.5"],
    ["files.stat", { id: 7 }, "id must be a string, got 7"],
    ["files.piece", { data: "é!", encoding: "base64" }, "data is not base64"],
    ["files.write", { name: null, data: "" }, "name must be a string, got null"],
    ["files.write", { name: "x", data: 1 }, "data must be a string, got 1"],
    ["files.write", { name: "x", data: "", content_type: 1 }, "contentType must be a string, got 1"],
    ["files.write", { name: "x", pieces: ["../x"] }, "pieces must be at most"],
    ["files.write", { name: "x", pieces: {} }, "pieces must be at most"],
  ])("%s refuses %j", (name, args, message) => {
    expect(refusal(name, args)).toContain(message);
  });
});

describe("cutText", () => {
  const cut = (...bytes: number[]) => [...cutText(Uint8Array.from(bytes))];
  test("leaves out a character that is not whole", () => {
    expect(cut(0x61, 0xe2, 0x82)).toEqual([0x61]);
    expect(cut(0x61, 0xf0, 0x9f, 0x98)).toEqual([0x61]);
    expect(cut(0x61, 0xc3)).toEqual([0x61]);
  });
  test("leaves whole text and what is no text alone", () => {
    expect(cut(0x61, 0xe2, 0x82, 0xac)).toEqual([0x61, 0xe2, 0x82, 0xac]);
    expect(cut(0x80, 0x80, 0x80, 0x80, 0x80)).toEqual([0x80, 0x80, 0x80, 0x80, 0x80]);
    expect(cut(0xe2)).toEqual([0xe2]);
    expect(cut()).toEqual([]);
  });
});
