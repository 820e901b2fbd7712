import { compileGraph } from "../../src/graph/compile.ts";
import { parseGraph } from "../../src/graph/parse-graph.ts";
import type { GraphDialect } from "../../src/graph/types.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

type Json = Readonly<Record<string, unknown>>;

/** A server and a model that graphs are run with. */
export interface GraphBench {
  readonly server: TestServer;
  readonly stub: ModelStub;
  call(method: string, path: string, body?: unknown): Promise<Json>;
  /** Compiles a document, uploads the script and runs it; the body of the answer. */
  run(dialect: GraphDialect, document: unknown, input: unknown, more?: Json): Promise<Json>;
  close(): Promise<void>;
}

let number = 0;

/** Starts both; private addresses may be reached. */
export async function startGraphBench(environment: Readonly<Record<string, string>> = {}): Promise<GraphBench> {
  const stub = await startModelStub();
  const server = await startTestServer({
    OPENAI_API_KEY: "key-of-the-stub",
    OPENAI_BASE_URL: stub.url,
    WEFT_EXAMPLES: "off",
    WEFT_HTTP_ALLOW_PRIVATE: "127.0.0.0/8",
    ...environment,
  });
  const call = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const headers = { authorization: `Bearer ${server.apiKey}`, ...type };
    const response = await fetch(server.url + path, { method, headers, ...sent });
    return (await response.json()) as Json;
  };
  return {
    server,
    stub,
    call,
    async run(dialect, document, input, more = {}) {
      const ref = `graph-${++number}`;
      const { upload } = compileGraph(parseGraph({ dialect, document }).graph);
      const [main, ...files] = upload.files;
      const body = { workflow_ref_name: ref, script: main?.text, files, entry: upload.entry };
      const uploaded = await call("POST", "/api/v1/workflows/upload", body);
      if (uploaded["data"] === undefined) throw new Error(JSON.stringify(uploaded));
      return call("POST", "/workflow/chat/completions", { model: `workflow:${ref}`, input, ...more });
    },
    async close() {
      await server.close();
      await stub.close();
    },
  };
}
