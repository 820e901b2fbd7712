import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";

test("the model stub runs as a process of its own and counts calls by fingerprint", async () => {
  const main = join(import.meta.dirname, "..", "support", "model-stub-main.ts");
  const child = spawn(process.execPath, [main, '{"content":"from afar"}'], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const url = line.toString("utf8").trim();
    const body = JSON.stringify({ model: "m", messages: [] });
    for (let index = 0; index < 2; index++) {
      const response = await fetch(`${url}/chat/completions`, { method: "POST", body });
      expect(await response.json()).toMatchObject({ choices: [{ message: { content: "from afar" } }] });
    }
    const counted = (await (await fetch(`${url}/calls`)).json()) as { total: number; byFingerprint: object };
    expect(counted.total).toBe(2);
    expect(Object.values(counted.byFingerprint)).toEqual([{ count: 2, answered: 2, body: JSON.parse(body) }]);
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});
