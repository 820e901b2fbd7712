import { readFileSync, readlinkSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRuntime } from "../../runtime/create-runtime.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import { parseModels } from "../../runtime/models/config.ts";
import { spawnConfined, type Wall } from "../../runtime/spawn-confined.ts";
import { raiseWall } from "../../runtime/wall/bubblewrap.ts";
import { innermost, spawnHost } from "../../runtime/worker/spawn-host.ts";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";
import { type ProbeFacts, probe } from "../support/host-probe.ts";
import { isAlive } from "../support/host-processes.ts";
import { BYSTANDER_OUTPUT, startHostileServer } from "../support/hostile.ts";
import { rejectionOf } from "../support/thrown.ts";
import { until } from "../support/until.ts";

let directory: DataDir;
let listener: Server;
let connections = 0;
let facts: ProbeFacts;
/** The wall, where this machine can have one; else why it cannot. */
let wall: Wall | null = null;
let obstacle = "";
beforeAll(async () => {
  directory = await makeDataDir();
  listener = createServer((_, answer) => answer.end()).on("connection", () => void connections++);
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const file = join(import.meta.dirname, "../../package.json");
  facts = { port: (listener.address() as AddressInfo).port, file, directory: directory.path };
  try {
    wall = await raiseWall("bwrap");
  } catch (error) {
    obstacle = (error as Error).message;
  }
});
afterAll(async () => {
  listener.close();
  await directory.remove();
});

const TRIES = {
  files: ["passwd", "file", "root", "parent environment", "own environment", "processes", "open a descriptor"],
  writes: ["write", "write beside the add-on"],
  programs: ["spawn", "shell", "binding", "worker", "inspector", "wasi"],
  network: ["connect", "connect by path", "listen", "fetch", "datagram", "name"],
};
const DENIED = Object.fromEntries(
  Object.values(TRIES)
    .flat()
    .map((name) => [name, "ERR_ACCESS_DENIED"]),
);

describe.each(["fast", "hardened"] as const)("whoever takes over a %s host", (profile) => {
  test("has no file, no network, no program, no environment and no core dump", async () => {
    const tries = await probe(spawnHost({ profile, wall: null }), facts);
    expect(tries).toMatchObject(DENIED);
    // A shell that is bash cannot but say what it starts.
    expect(tries["env"]).toMatch(/^done \[("_")?\]$/);
    expect(tries["argv"]).toBe('done ["-"]');
    expect(tries["add-on"]).toBe("ERR_DLOPEN_FAILED");
    expect(connections).toBe(0);
    const { core, data } = JSON.parse((tries["limits"] ?? "").slice("done ".length)) as Record<string, unknown>;
    expect(core).toBe(0);
    if (profile === "hardened" && process.platform === "linux") expect(data).toBe(1_200 * 1024 * 1024);
  });
});

describe("WEFT_HOST_WALL=bwrap", () => {
  test("without bubblewrap nothing starts, and the error says what is missing", async () => {
    const error = await rejectionOf(raiseWall("bwrap", directory.path));
    expect(error).toMatchObject({ code: "INVALID_REQUEST", details: { setting: "WEFT_HOST_WALL" } });
    expect(error.message).toMatch(/^WEFT_HOST_WALL=bwrap: bubblewrap (is not installed|exists on Linux only|)/);
  });

  test.runIf(process.platform === "linux")(
    "where the kernel refuses, nothing starts, and the error has its words",
    async () => {
      const command = join(directory.path, "bwrap");
      await writeFile(command, "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n");
      await chmod(command, 0o755);
      const { message } = await rejectionOf(raiseWall("bwrap", directory.path));
      expect(message).toContain("No permissions to create new namespace");
      expect(message).toContain("user namespaces");
    },
  );

  test("a runtime starts behind it or not at all", async () => {
    const options = {
      ...{
        limits: DEFAULT_LIMITS,
        workers: 1,
        allowPrivate: [],
        datastores: null,
        warm: [],
        hostWall: "bwrap" as const,
      },
      ...{ models: parseModels({ file: null, env: {} }), settle: () => undefined, loadBundle: async () => null },
    };
    if (wall === null) expect((await rejectionOf(createRuntime(options))).message).toBe(obstacle);
    else await (await createRuntime(options)).close();
  });

  test("behind it there is no machine: neither files, processes, network, names nor users of the server", async () => {
    if (wall === null) return expect(obstacle).toMatch(/^WEFT_HOST_WALL=bwrap: bubblewrap /);
    // The kernel alone, without Node's permission model.
    const stdio: ("pipe" | "ignore")[] = ["pipe", "ignore", "pipe", "pipe"];
    const tries = await probe(spawnConfined(["-"], { wall }, { env: {}, stdio }), facts);
    expect(tries).toMatchObject({
      ...{ env: 'done ["PWD"]', uid: "done 65534", hostname: 'done "weft"', interfaces: "ERR_SYSTEM_ERROR" },
      ...{ passwd: "ENOENT", file: "ENOENT", "parent environment": "done 0", processes: "done 2" },
      ...{ write: "ENOENT", "write beside the add-on": "EROFS", "signal the parent": "ESRCH" },
      ...{ spawn: "EPERM", shell: "EPERM", connect: "EPERM", "connect by path": "EPERM", listen: "EPERM" },
      ...{ fetch: "EPERM", datagram: "EPERM" },
    });
    expect(tries["name"]).not.toMatch(/^done/);
    expect(tries["root"]).not.toMatch(/etc|home|root|var|sys|run|bin/);
    expect(connections).toBe(0);
    expect(await probe(spawnHost({ profile: "hardened", wall }), facts)).toMatchObject({
      ...DENIED,
      "signal the parent": "ESRCH",
    });
  });

  test("a server behind it works, stops what cannot be stopped, and leaves nothing", async () => {
    if (wall === null) {
      const error = await rejectionOf(startHostileServer("hardened", { WEFT_HOST_WALL: "bwrap" }));
      return expect(error.message).toBe(obstacle);
    }
    const server = await startHostileServer("hardened", { WEFT_HOST_WALL: "bwrap" });
    const pids = () => server.stats().hosts.flatMap(({ pid }) => [pid, innermost(pid)]);
    const [outer = 0, inner = 0] = await until(pids, ([first = 0, last = 0]) => first !== last);
    const status = readFileSync(`/proc/${inner}/status`, "utf8");
    for (const line of [/^Seccomp:\s+2$/m, /^NoNewPrivs:\s+1$/m, /^CapEff:\s+0+$/m, /^CapBnd:\s+0+$/m])
      expect(status).toMatch(line);
    for (const space of ["net", "pid", "ipc", "uts", "user", "mnt"]) {
      expect(readlinkSync(`/proc/${inner}/ns/${space}`)).not.toBe(readlinkSync(`/proc/self/ns/${space}`));
    }
    expect(readFileSync(`/proc/${inner}/oom_score_adj`, "utf8").trim()).toBe("1000");
    expect(readFileSync(`/proc/${inner}/limits`, "utf8")).toMatch(/Max data size\s+1258291200/);
    const script = "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1); return 1;";
    const { hostile, bystanders } = await server.attack({ script, ends: [] });
    expect(hostile.code).toBe("workflow_cpu_exceeded");
    for (const { output } of bystanders) expect(output).toEqual(BYSTANDER_OUTPUT);
    const all = [outer, inner, ...pids()];
    await server.close();
    await until(() => all.every((pid) => !isAlive(pid)));
    expect(server.reported).toEqual([]);
  });
});

test("flags of WEFT_HOST_FLAGS reach the host and change nothing else", async () => {
  const child = spawnHost({ profile: "fast", wall: null, flags: ["--max-semi-space-size=32"] });
  const args = () => readFileSync(`/proc/${child.pid}/cmdline`, "utf8").split("\0");
  try {
    // Until then it is the shell that starts it.
    const isNode = ([command]: readonly string[]) => command === process.execPath;
    expect(await until(args, isNode)).toEqual(expect.arrayContaining(["--permission", "--max-semi-space-size=32"]));
  } finally {
    child.kill("SIGKILL");
  }
});
