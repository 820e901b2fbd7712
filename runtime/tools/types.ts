/** A JSON object that nobody has looked into. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/**
 * A tool that is an HTTP request. Texts of `url`, `query`, `headers` and `body` are templates: `{{name}}` is an argument of the
 * model, `{{secrets.NAME}}` a secret and `{{env.NAME}}` a variable of the execution that runs the agent.
 */
export interface HttpTool {
  readonly type: "http";
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments; an object without properties when absent. */
  readonly parameters?: JsonRecord;
  readonly request: {
    /** GET by default. */
    readonly method?: string;
    readonly url: string;
    readonly query?: Readonly<Record<string, string>>;
    readonly headers?: Readonly<Record<string, string>>;
    /** Sent as JSON: a value whose texts are templates; a text that is one template alone is replaced by the value itself. Absent: no body, or, for POST, PUT and PATCH, all arguments. */
    readonly body?: unknown;
  };
}

/** Where an MCP server is (streamable HTTP); header values may hold `{{secrets.NAME}}` and `{{env.NAME}}`. */
export interface McpServer {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The tools of an MCP server. */
export interface McpTools {
  readonly type: "mcp";
  readonly server: McpServer;
  /** Names that the model may use; all when absent. */
  readonly allow?: readonly string[];
}

/** A tool that is another workflow of the account: the arguments are its input, its output is the result. */
export interface WorkflowTool {
  readonly type: "workflow";
  /** `<ref>` or `<ref>@<version>`. */
  readonly ref: string;
  /** The ref when absent. */
  readonly name?: string;
  /** The workflow's own when absent. */
  readonly description?: string;
  /** The workflow's input schema when absent. */
  readonly parameters?: JsonRecord;
}

/** A tool that searches a datastore; the model gives the query and, where `filters` allows, a filter. */
export interface DatastoreTool {
  readonly type: "datastore";
  readonly datastore: string;
  /** `search_<datastore>` when absent. */
  readonly name?: string;
  readonly description?: string;
  readonly mode?: "keyword" | "vector" | "hybrid";
  readonly top_k?: number;
  readonly fields?: readonly string[];
  readonly min_score?: number;
  /** Applied to every search. */
  readonly filter?: JsonRecord;
}

/** One entry of an agent's `tools`. */
export type AgentTool = HttpTool | McpTools | WorkflowTool | DatastoreTool;

/** What an agent is: the content of one version, in the words of the API and of scripts. */
export interface AgentDefinition {
  readonly name: string;
  readonly description: string;
  readonly system_prompt: string;
  /** Model name; null: what `intent`, the application or the server's default says. */
  readonly model: string | null;
  readonly intent: string | null;
  /** Parameters of every model call, such as `temperature`. */
  readonly params: JsonRecord;
  readonly tools: readonly AgentTool[];
  /** `{ type: "json_schema", json_schema: { name, schema } }`, `{ type: "json_object" }`, or null: text. */
  readonly response_format: JsonRecord | null;
  /** Model calls of one turn of the conversation. */
  readonly max_iterations: number;
}

/** Arguments of the op `agents.tools`: which tools has this MCP server? */
export interface ToolListArgs {
  readonly server: McpServer;
  /** Names (the server's own) to look for; all when absent. One that the server does not have is an error. */
  readonly allow?: readonly string[];
}

/** One tool of a server, as a model may be told of it. */
export interface ListedTool {
  /** `^[A-Za-z0-9_-]{1,64}$`, unique within the server. */
  readonly name: string;
  /** What the server calls it: goes into {@link ToolCallArgs}. */
  readonly tool: string;
  readonly description: string;
  /** JSON Schema of the arguments, as the server wrote it. */
  readonly parameters: JsonRecord;
}

/** Its result. Where two servers have tools of the same name, `<label>_<name>` tells them apart. */
export interface ToolListResult {
  readonly tools: readonly ListedTool[];
  /** The server's host as a part of names: `docs_example_com`. */
  readonly label: string;
  /** Tools that cannot be offered, and why. */
  readonly left_out: readonly { readonly tool: string; readonly reason: string }[];
}

/** Arguments of the op `agents.tool`: one call of an HTTP tool, or of the tool `name` of an MCP server. */
export interface ToolCallArgs {
  readonly tool: HttpTool | { readonly type: "mcp"; readonly server: McpServer; readonly name: string };
  /** What the model gave, parsed; those of an HTTP tool are checked against its `parameters`. */
  readonly arguments: JsonRecord;
}

/**
 * Its result: the text shown to the model, `is_error` where the service answered with a failure (a status from 400 on, an MCP `isError`).
 * A service that cannot be reached, breaks the protocol or a limit is an error of the op.
 */
export interface ToolCallResult {
  readonly content: string;
  readonly is_error: boolean;
}
