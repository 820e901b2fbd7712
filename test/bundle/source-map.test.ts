import { afterAll, describe, expect, test } from "vitest";
import { createBundler } from "../../runtime/bundle/bundler.ts";
import { mapStack } from "../../runtime/bundle/source-map.ts";
import type { SourceFile } from "../../runtime/bundle-types.ts";
import { runInGuest, SCRIPT_NAME } from "./guest.ts";

const bundler = createBundler({ timeoutMs: 60_000 });
afterAll(() => bundler.close());

async function mappedFailure(files: readonly SourceFile[]) {
  const bundle = await bundler.bundle({ files, entry: "main.ts" });
  const end = await runInGuest(bundle);
  const { details } = end.value as { details: { stack: string } };
  return mapStack(bundle.sourceMap, details.stack, SCRIPT_NAME);
}

const MAIN = `import { helper } from "./lib/helper";
interface Unused { a: string }

export async function execute(ctx: { input: unknown }) {
  await null;
  return [1].map(() => helper(ctx.input));
}
`;
const HELPER = `type T = unknown;
export function helper(value: T): never {
  const é = "é"; throw new TypeError("broken " + String(value) + é);
}
`;

describe("a stack", () => {
  test("shows the author's files, lines and columns only", async () => {
    const { stack, frame } = await mappedFailure([
      { path: "main.ts", text: MAIN },
      { path: "lib/helper.ts", text: HELPER },
    ]);
    expect(frame).toEqual({ file: "lib/helper.ts", line: 3, column: 24 });
    expect(stack.split("\n")[0]).toBe("TypeError: broken nullé");
    expect(stack).toMatch(/^ {4}at helper \(lib\/helper\.ts:3:24\)$/m);
    expect(stack).toMatch(/main\.ts:6:\d+/);
    expect(stack).not.toMatch(/weft:|node:|isolated-vm/);
  });

  test("leaves out frames of packages and of the platform", async () => {
    const text = `import { map } from "lodash-es";\nexport const execute = () => map([1], () => new URL("nope"));`;
    const { stack, frame } = await mappedFailure([{ path: "main.ts", text }]);
    expect(frame).toMatchObject({ file: "main.ts", line: 2 });
    expect(
      stack
        .split("\n")
        .slice(1)
        .every((line) => line.includes("main.ts:2:")),
    ).toBe(true);
  });

  test("maps a failure of the top level", async () => {
    const { frame } = await mappedFailure([
      { path: "main.ts", text: "const a: number[] = [];\nexport const execute = () => 1;\n  a.at(0)!.toFixed();" },
    ]);
    expect(frame).toMatchObject({ file: "main.ts", line: 3 });
  });

  test("of any text is accepted", async () => {
    const { sourceMap } = await bundler.bundle({
      files: [{ path: "main.ts", text: "export const execute = () => 1" }],
    });
    const odd = [
      "",
      "no frames",
      `E\n    at ${SCRIPT_NAME}:0:0`,
      `E\n    at f (${SCRIPT_NAME}:999999999:999999999)`,
      `E\n    at f (x${SCRIPT_NAME}:2:5)`,
      "E\n    at f (/etc/hostname:1:1)\n    at weft:prelude:1:1\n    at node:vm:1:1\n    at (<isolated-vm boundary>)",
      `E\n${"    at f (a:1:1)\n".repeat(100_000)}`,
    ];
    for (const stack of odd) {
      const mapped = mapStack(sourceMap, stack, SCRIPT_NAME);
      expect(mapped.frame).toBeNull();
      expect(mapped.stack).not.toMatch(/\n/);
    }
    expect(
      mapStack(sourceMap, `E: a\nb\n    at f (${SCRIPT_NAME}:2:12)\n    at g (weft:prelude:1:1)`, SCRIPT_NAME).stack,
    ).toMatch(/^E: a\nb\n {4}at f \(main\.ts:1:\d+\)$/);
  });
});
