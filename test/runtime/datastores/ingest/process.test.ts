import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { ingest } from "../../../../runtime/datastores/ingest/ingest-client.ts";
import { spawnIngest } from "../../../../runtime/datastores/ingest/spawn-ingest.ts";
import {
  DEFAULT_OPTIONS,
  type IngestProgress,
  type IngestRequest,
} from "../../../../runtime/datastores/ingest/types.ts";
import { WorkflowError } from "../../../../runtime/errors.ts";
import { DEFAULT_LIMITS } from "../../../../runtime/limits.ts";
import { residentBytes } from "../../../../runtime/worker/spawn-host.ts";
import { fileOf, newDirectory, recordsOf, refusal, vectorsOf } from "./fixture.ts";

/** An import of a file's content, and where its result will be. */
function requestOf(content: string, more: Partial<IngestRequest> = {}): IngestRequest {
  const target = join(newDirectory(), "1.db");
  return { source: fileOf(content), format: "csv", target, revision: 1, limits: DEFAULT_LIMITS, ...more };
}

const filesBeside = ({ target }: IngestRequest) => readdirSync(dirname(target));

/** Rows of about 100 bytes. */
function manyRows(count: number): string {
  const row = (at: number) => `r${at},${"x".repeat(60)},${at},${at / 4},"a ""b"" ${at}"\n`;
  return `id,text,n,r,q\n${Array.from({ length: count }, (_, at) => row(at)).join("")}`;
}

test("an import makes a file that readers can open, tells how far it is, and leaves nothing else", async () => {
  const seen: IngestProgress[] = [];
  const request = requestOf("id,n\na,1\nb,2\n", { onProgress: (progress) => seen.push(progress) });
  const report = await ingest(request);
  expect(report).toMatchObject({ rows: 2, bytes: 13, schema: { idField: "id" } });
  expect(seen.at(-1)).toMatchObject({ phase: "indexing", bytes: 13, totalBytes: 13, rows: 2 });
  expect(filesBeside(request)).toEqual(["1.db"]);
  expect(recordsOf(request.target)).toEqual([
    { id: "a", data: { id: "a", n: 1 } },
    { id: "b", data: { id: "b", n: 2 } },
  ]);
});

test("a refusal comes with its place, and nothing is left behind", async () => {
  const request = requestOf("id,n\na,1\nb,2,3\n");
  const error = await refusal(ingest(request));
  expect(error).toMatchObject({ code: "INVALID_REQUEST", details: { format: "csv", line: 3 } });
  expect(filesBeside(request)).toEqual([]);
});

test("an aborted import ends at once and leaves nothing", async () => {
  const stop = new AbortController();
  const request = requestOf(manyRows(60_000), { signal: stop.signal, onProgress: () => stop.abort() });
  expect(await refusal(ingest(request))).toMatchObject({ code: "EXECUTION_CANCELLED" });
  expect(filesBeside(request)).toEqual([]);
  const before = AbortSignal.abort();
  expect(await refusal(ingest({ ...request, signal: before }))).toMatchObject({ code: "EXECUTION_CANCELLED" });
});

describe("a process", () => {
  interface Started {
    readonly child: ReturnType<typeof spawnIngest>;
    readonly request: IngestRequest;
    readonly reading: Promise<void>;
    readonly gone: Promise<void>;
  }

  function start(content: string): Started {
    const request = requestOf(content);
    const { source, target, revision, limits, format } = request;
    const child = spawnIngest({ source, target, memoryMb: limits.importMemoryMb });
    const reading = new Promise<void>((resolve) => child.once("message", () => resolve()));
    const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const job = { source, target, revision, limits, format, options: DEFAULT_OPTIONS, declared: {} };
    child.send({ type: "start", job });
    return { child, request, reading, gone };
  }

  test("that is killed in the middle leaves no file under the target's name, and the next import is whole", async () => {
    const { child, request, reading, gone } = start(manyRows(60_000));
    await reading;
    child.kill("SIGKILL");
    await gone;
    expect(existsSync(request.target)).toBe(false);
    const report = await ingest(request);
    expect(report.rows).toBe(60_000);
    expect(filesBeside(request)).toEqual(["1.db"]);
  });

  test("ends when its parent's end of standard input closes, even while it is busy", async () => {
    const { child, request, reading, gone } = start(manyRows(60_000));
    await reading;
    child.stdin?.end();
    await gone;
    expect(child.signalCode).toBe("SIGKILL");
    expect(existsSync(request.target)).toBe(false);
  });

  test("may read nothing but its source and write nowhere but beside its target", async () => {
    const secret = fileOf("id\nsecret\n");
    const elsewhere = join(newDirectory(), "1.db");
    const request = requestOf("id\na\n");
    const { source, revision, limits, format } = request;
    const child = spawnIngest({ source, target: request.target, memoryMb: limits.importMemoryMb });
    const answers: unknown[] = [];
    const two = new Promise<void>((resolve) => {
      child.on("message", (message: { type: string }) => {
        if (message.type === "failed" && answers.push(message) === 2) resolve();
      });
    });
    const job = { target: request.target, revision, limits, format, options: DEFAULT_OPTIONS, declared: {} };
    child.send({ type: "start", job: { ...job, source: secret } });
    child.send({ type: "start", job: { ...job, source, target: elsewhere } });
    await two;
    child.kill("SIGKILL");
    expect(JSON.stringify(answers[0])).toContain("Access to this API has been restricted");
    expect(JSON.stringify(answers[1])).toContain("Access to this API has been restricted");
    expect(existsSync(elsewhere)).toBe(false);
  });

  test("has an environment without anything of the server's", async () => {
    if (process.platform !== "linux") return;
    const { child, reading, gone } = start(manyRows(50_000));
    await reading;
    const names = readFileSync(`/proc/${child.pid}/environ`, "latin1")
      .split("\0")
      .map((entry) => entry.split("=", 1)[0] ?? "");
    expect(names.filter((name) => !/^(SQLITE_TMPDIR|NODE_CHANNEL_.*|PWD|OLDPWD|SHLVL|_|)$/.test(name))).toEqual([]);
    child.kill("SIGKILL");
    await gone;
  });
});

describe("memory", () => {
  test("does not grow with the file", async () => {
    const request = requestOf("");
    const block = manyRows(10_000).slice("id,text,n,r,q\n".length);
    writeFileSync(request.source, "key,text,n,r,q\n");
    for (let at = 0; at < 30; at++) writeFileSync(request.source, block, { flag: "a" });
    // A process that needs more than this is killed.
    const limits = { ...DEFAULT_LIMITS, importMemoryMb: 512 };
    const report = await ingest({ ...request, limits, schema: { idField: null } });
    expect(report.rows).toBe(300_000);
  });

  test("over the limit ends the import by the limit's name", async () => {
    const request = requestOf(`id,n\na,"${"x".repeat(40_000_000)}"\n`);
    const limits = { ...DEFAULT_LIMITS, importMemoryMb: 60, maxRecordBytes: 100_000_000 };
    const error = await refusal(ingest({ ...request, limits }));
    expect(error).toMatchObject({ code: "LIMIT_EXCEEDED", details: { limit: "importMemoryMb" } });
    expect(filesBeside(request)).toEqual([]);
  });

  test("of a process that is gone is nothing", () => {
    expect(residentBytes(2 ** 30, 0)).toBe(0);
  });
});

describe("time", () => {
  test("over the limit ends the import by the limit's name", async () => {
    const request = requestOf(manyRows(100_000));
    const limits = { ...DEFAULT_LIMITS, importMs: 1 };
    const error = await refusal(ingest({ ...request, limits }));
    expect(error).toMatchObject({ code: "LIMIT_EXCEEDED", details: { limit: "importMs", value: 1 } });
  });

  test("without any progress ends it, too", async () => {
    const request = requestOf(manyRows(100_000));
    // No sign of life is recent enough.
    const limits = { ...DEFAULT_LIMITS, importStallMs: 0 };
    const error = await refusal(ingest({ ...request, limits }));
    expect(error).toMatchObject({ code: "LIMIT_EXCEEDED", details: { limit: "importStallMs" } });
  });
});

describe("embeddings", () => {
  const schema = {
    vector: { field: "v", dimensions: 2, metric: "cosine", source: { fields: ["a", "b"], model: "m" } },
  } as const;
  const rows = Array.from({ length: 1_000 }, (_, at) => `${at},text ${at},${at === 5 ? "" : "more"}\n`).join("");
  const content = `id,a,b\n${rows}`;

  test("are asked of the parent, a few calls at a time, and stay with their records", async () => {
    let open = 0;
    let most = 0;
    const texts: string[] = [];
    const request = requestOf(content, {
      schema,
      embed: async (asked) => {
        open++;
        most = Math.max(most, open);
        texts.push(...asked);
        await new Promise((resolve) => setTimeout(resolve, 5));
        open--;
        return asked.map((text) => [Number(/\d+/.exec(text)?.[0]), 1]);
      },
    });
    await ingest(request);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
    expect(texts).toContain("text 7\nmore");
    expect(texts).toContain("text 5");
    const vectors = vectorsOf(request.target);
    expect(vectors.length).toBe(1_000);
    expect(vectors.every(([row, vector]) => vector[0] === row - 1)).toBe(true);
  });

  test("are asked for once, also when a late value changes the type of a column", async () => {
    const many = Array.from({ length: 25_000 }, (_, at) => `r${at},${at % 500 === 0 ? `text ${at}` : ""},1\n`).join("");
    let texts = 0;
    const request = requestOf(`id,a,b\n${many}last,text,x\n`, {
      schema: { vector: { ...schema.vector, source: { fields: ["a"], model: "m" } } },
      embed: async (asked) => {
        texts += asked.length;
        return asked.map(() => [1, 2]);
      },
    });
    expect((await ingest(request)).schema.columns[2]).toMatchObject({ name: "b", type: "text" });
    expect(texts).toBe(51);
  });

  test("that fail end the import with the parent's own error", async () => {
    const failure = new WorkflowError("UPSTREAM_FAILED", {}, { message: "no model" });
    const request = requestOf(content, { schema, embed: () => Promise.reject(failure) });
    expect(await refusal(ingest(request))).toBe(failure);
    expect(filesBeside(request)).toEqual([]);
  });

  test("of the wrong dimension or number are refused", async () => {
    const wrong = requestOf(content, { schema, embed: async (asked) => asked.map(() => [1, 2, 3]) });
    expect((await refusal(ingest(wrong))).message).toContain('gives vectors of 3 dimensions; "v" has 2');
    const few = requestOf(content, { schema, embed: async () => [] });
    expect((await refusal(ingest(few))).code).toBe("UPSTREAM_FAILED");
  });
});
