import { describe, expect, test } from "vitest";
import { importText, type Wishes } from "./fixture.ts";

interface Chunk {
  readonly id: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly heading?: string;
}

async function chunksOf(format: "text" | "markdown", content: string, wishes?: Wishes) {
  const { records, report } = await importText(format, content, wishes);
  return { report, chunks: records.map(({ data }) => data as unknown as Chunk) };
}

const sentence = "Duties are paid on entry, unless a ruling says otherwise. ";

describe("plain text", () => {
  test("is cut into overlapping chunks at the ends of sentences, with their places", async () => {
    const content = sentence.repeat(200);
    const { chunks, report } = await chunksOf("text", content);
    expect(report.schema).toMatchObject({ idField: "id", textFields: ["text"] });
    expect(chunks.length).toBeGreaterThan(10);
    for (const { text, start, end, id } of chunks) {
      expect(text.length).toBeLessThanOrEqual(1_000);
      expect(content.slice(start, end)).toBe(text);
      expect(id).toBe(String(start).padStart(10, "0"));
      expect(text.endsWith("otherwise.")).toBe(true);
    }
    for (const [at, chunk] of chunks.entries()) {
      const before = chunks[at - 1];
      if (before === undefined) continue;
      expect(chunk.start).toBeLessThan(before.end);
      expect(before.end - chunk.start).toBeLessThanOrEqual(100);
    }
  });

  test("prefers the ends of paragraphs, and counts lines whatever ends them", async () => {
    const paragraph = sentence.repeat(12).trim();
    const content = [paragraph, paragraph, paragraph].join("\r\n\r\n");
    const { chunks } = await chunksOf("text", content, { options: { chunkOverlap: 0 } });
    expect(chunks.map(({ line }) => line)).toEqual([1, 3, 5]);
    expect(chunks.map(({ text }) => text)).toEqual([paragraph, paragraph, paragraph]);
  });

  test("without any place to cut at is cut between characters, never within one", async () => {
    const { chunks } = await chunksOf("text", `x${"😀".repeat(3_000)}`, { options: { chunkOverlap: 11 } });
    expect(chunks.every(({ text }) => text.isWellFormed() && text.length <= 1_000)).toBe(true);
    expect(chunks.at(-1)?.end).toBe(6_001);
  });

  test("has the same ids when it is imported again, and nothing when it is empty", async () => {
    const ids = async () => (await chunksOf("text", sentence.repeat(100))).chunks.map(({ id }) => id);
    expect(await ids()).toEqual(await ids());
    expect((await chunksOf("text", " \n\n ")).report.rows).toBe(0);
    expect((await chunksOf("text", "")).report.rows).toBe(0);
  });

  test("of several blocks has all its characters in chunks", async () => {
    const words = Array.from({ length: 300_000 }, (_, at) => `w${at}`);
    const content = words.join(" ");
    const { report, chunks } = await chunksOf("text", content, { options: { chunkOverlap: 0, chunkChars: 10_000 } });
    expect(report.rows).toBe(chunks.length);
    expect(chunks.map(({ text }) => text).join(" ")).toBe(content);
  });
});

describe("Markdown", () => {
  const guide = `# Guide

Intro with a [link](https://example.com).

## Install

    # not a heading

\`\`\`sh
# nor this
npm start
\`\`\`

Setext
------

- a list
  - # of lists

### Deep

text

# Other

end
`;

  test("chunks have the path of their headings and never span one", async () => {
    const { chunks, report } = await chunksOf("markdown", guide);
    expect(report.schema.textFields).toEqual(["heading", "text"]);
    expect(chunks.map(({ heading }) => heading)).toEqual([
      "Guide",
      "Guide > Install",
      "Guide > Setext",
      "Guide > Setext > Deep",
      "Other",
    ]);
    for (const { text, start, end, line } of chunks) {
      expect(guide.slice(start, end)).toBe(text);
      expect(line).toBe(guide.slice(0, start).split("\n").length);
    }
    expect(chunks[1]?.text).toContain("# nor this\nnpm start");
  });

  test("long sections are cut, all parts under their heading", async () => {
    const { chunks } = await chunksOf("markdown", `# A\n\n${sentence.repeat(60)}\n\n# B\n\nshort\n`);
    expect(new Set(chunks.map(({ heading }) => heading))).toEqual(new Set(["A", "B"]));
    expect(chunks.filter(({ heading }) => heading === "A").length).toBeGreaterThan(3);
    expect(chunks.every(({ text }) => text.length <= 1_000)).toBe(true);
  });

  test("front matter is left out, and the report says so", async () => {
    const { chunks, report } = await chunksOf("markdown", "---\ntitle: x\n---\n\n# A\n\ntext\n");
    expect(chunks).toMatchObject([{ heading: "A", line: 5 }]);
    expect(report.warnings.join(" ")).toContain("front matter");
  });

  test("text before the first heading has none, and a document may have no headings", async () => {
    expect((await chunksOf("markdown", "hello\n\n# A\nx")).chunks.map(({ heading }) => heading)).toEqual(["", "A"]);
  });

  test("documents of several blocks have their headings found across them", async () => {
    const section = (at: number) => `## Part ${at}\n\n${"word ".repeat(100)}\n\n\`\`\`\n# code ${at}\n\`\`\`\n\n`;
    const content = `# Book\n\n${Array.from({ length: 5_000 }, (_, at) => section(at)).join("")}`;
    const { report, chunks } = await chunksOf("markdown", content);
    expect(report.rows).toBe(5_001);
    expect(chunks[999]?.heading).toBe("Book > Part 998");
  });

  test("blocks in blocks without end are refused or read, never worse", async () => {
    const outcome = await chunksOf("markdown", `${"> ".repeat(3_000)}x\n`).catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: "INVALID_REQUEST" });
  });
});
