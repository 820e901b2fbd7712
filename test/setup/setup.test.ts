import { existsSync } from "node:fs";
import { realpath, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createProject, type Project } from "./project.ts";

const INSTALLED = /^Installing dependencies…\nDependencies installed in \d+\.\d s\.\n$/;
let project: Project;

beforeEach(async () => {
  project = await createProject();
  await project.write("main.mjs", `console.log(JSON.stringify(process.argv.slice(2)));`);
});

afterEach(async () => {
  await project.remove();
});

const countOf = (text: string, part: string) => text.split(part).length - 1;

test("the first run installs, says so on stderr, and runs the file with its arguments", async () => {
  const { code, stdout, stderr } = await project.start("--run", "main.mjs", "list", "--json").ended;
  expect(stderr).toMatch(INSTALLED);
  expect(stdout).toBe('["list","--json"]\n');
  expect(code).toBe(0);
});

test("a second run installs nothing and says nothing", async () => {
  await project.start().ended;
  expect(await project.start().ended).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("a changed lockfile is installed again", async () => {
  await project.start().ended;
  await project.changeLock("second");
  expect((await project.start().ended).stderr).toMatch(INSTALLED);
});

test("an install made by hand counts once it is marked", async () => {
  await project.start().ended;
  await project.changeLock("second");
  expect((await project.start("--mark").ended).code).toBe(0);
  expect((await project.start().ended).stderr).toBe("");
});

test("a failing install ends with npm's reason and is not taken for a complete one", async () => {
  const file = join(project.root, "package.json");
  await project.start().ended;
  await project.write("package.json", JSON.stringify({ name: "sample", dependencies: { absent: "file:absent" } }));
  await project.changeLock("second");
  const failed = await project.start("--run", "main.mjs").ended;
  expect(failed.code).toBe(1);
  expect(failed.stdout).toBe("");
  expect(failed.stderr).toContain("can only install packages when your package.json and package-lock.json");
  expect(failed.stderr).toContain("The dependencies could not be installed: npm ci ended with 1.");
  expect(existsSync(join(project.root, ".weft-setup.lock"))).toBe(false);
  await writeFile(file, JSON.stringify({ name: "sample", version: "1.0.0", dependencies: { node: "file:stand-in" } }));
  expect((await project.start().ended).stderr).toMatch(INSTALLED);
});

test("several processes at once install once and all go on", async () => {
  const ended = await Promise.all([1, 2, 3].map((n) => project.start("--run", "main.mjs", String(n)).ended));
  expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(ended.map(({ stdout }) => stdout)).toEqual(['["1"]\n', '["2"]\n', '["3"]\n']);
  expect(countOf(ended.map(({ stderr }) => stderr).join(""), "Installing dependencies…")).toBe(1);
});

test("the lock of a process that died is taken over", async () => {
  const lock = join(project.root, ".weft-setup.lock");
  await writeFile(lock, "1 another-machine 0");
  await utimes(lock, new Date(0), new Date(0));
  const ended = await Promise.all([project.start().ended, project.start().ended]);
  expect(ended.map(({ code }) => code)).toEqual([0, 0]);
  expect(countOf(ended.map(({ stderr }) => stderr).join(""), "Installing dependencies…")).toBe(1);
  expect(existsSync(lock)).toBe(false);
});

test("an emptied node_modules is installed again", async () => {
  await project.start().ended;
  await rm(join(project.root, "node_modules"), { recursive: true });
  expect((await project.start().ended).stderr).toMatch(INSTALLED);
});

test("the exit code of the file is passed on", async () => {
  await project.write("main.mjs", "process.exitCode = 7;");
  expect((await project.start("--run", "main.mjs").ended).code).toBe(7);
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s reaches the file once, which decides how to end",
  async (signal) => {
    await project.write(
      "main.mjs",
      `process.on("${signal}", () => { console.log("got it"); setTimeout(() => process.exit(3), 300); }); setInterval(() => {}, 1000); console.log("up");`,
    );
    const running = project.start("--run", "main.mjs");
    await running.prints("up");
    running.kill(signal);
    running.kill(signal);
    expect(await running.ended).toMatchObject({ code: 3, stdout: "up\ngot it\n" });
  },
);

test("a file ended by a signal ends the setup by the same signal", async () => {
  await project.write("main.mjs", `process.kill(process.pid, "SIGKILL");`);
  expect((await project.start("--run", "main.mjs").ended).code).toBe("SIGKILL");
});

test("--run stays in the project's directory, --run-here runs where npm was called, with the same data", async () => {
  const root = await realpath(project.root);
  await project.write("main.mjs", "console.log(process.cwd(), process.env.WEFT_DATA_DIR);");
  expect((await project.start("--run", "main.mjs").ended).stdout).toBe(`${root} undefined\n`);
  const here = await project.start("--run-here", "main.mjs").ended;
  expect(here.stdout).toBe(`${join(root, "stand-in")} ${join(root, ".weft")}\n`);
});

test("an unknown option is refused with the usage", async () => {
  const { code, stderr } = await project.start("--rum").ended;
  expect(code).toBe(1);
  expect(stderr).toContain("Usage: node src/setup/setup.mjs");
});
