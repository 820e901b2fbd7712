import type { Compute, Node, NodeOptions } from "../types.ts";
import { makeNode } from "./options.ts";
import type { ValueShape } from "./shape.ts";

type Fields = Readonly<Record<string, unknown>>;

interface Datastores {
  search(
    store: string,
    params: object,
  ): Promise<readonly { readonly id: string; readonly data: Fields; readonly score: number }[]>;
}

const CONTENT = ["content", "text", "body", "chunk"];

function contentOf(data: Fields): string {
  const name = CONTENT.find((one) => typeof data[one] === "string");
  return name === undefined ? JSON.stringify(data) : String(data[name]);
}

type Found = {
  readonly memory_id: string;
  readonly content: string;
  readonly similarity_score: number;
  readonly metadata?: Fields;
};

/** Newest first, by whichever member of the metadata says when. */
function byTime({ metadata: a }: Found, { metadata: b }: Found): number {
  const time = (data: Fields | undefined) => String(data?.["created_at"] ?? data?.["timestamp"] ?? "");
  const [first, second] = [time(a), time(b)];
  return first < second ? 1 : first > second ? -1 : 0;
}

/** Records of a datastore that fit a question: a list of `{ memory_id, content, similarity_score, metadata }`. */
export function memory(
  options: NodeOptions & {
    readonly datastore: string;
    readonly search: Compute<object>;
    readonly threshold: number;
    readonly includeMetadata: boolean;
    readonly sortBy: "similarity" | "time";
    readonly shape: ValueShape;
  },
): Node {
  return makeNode("memory", options, {
    repeats: true,
    async run(scope, node) {
      const { search } = node.ctx["datastore"] as Datastores;
      const hits = await node.call(() => search(options.datastore, options.search(scope)));
      const near = hits
        .filter(({ score }) => score >= options.threshold)
        .map(
          ({ id, data, score }): Found => ({
            memory_id: id,
            content: contentOf(data),
            similarity_score: score,
            metadata: data,
          }),
        );
      const sorted = options.sortBy === "time" ? near.toSorted(byTime) : near;
      const found = options.includeMetadata ? sorted : sorted.map(({ metadata: _data, ...rest }) => rest);
      return { value: options.shape === "output" ? { output: found } : found };
    },
  });
}
