import { availableParallelism } from "node:os";
import { ACCESS_SETTINGS } from "./access-settings.ts";
import { list, oneOf, optionalWholeNumber, requiredText, text, wholeNumber } from "./setting.ts";

const HOST_RULE = /^(\*\.)?[A-Za-z0-9._-]+(:\d{1,5})?$|^\[[0-9a-fA-F:.]+\](:\d{1,5})?$/;
const CIDR = /^[0-9a-fA-F:.]+\/\d{1,3}$/;

/** The settings that are no limits, in the order of the help. */
export const SERVER_SETTINGS = {
  port: wholeNumber(
    { name: "WEFT_PORT", fallback: "8787", sentence: "Port of the HTTP server; 0 takes a free one." },
    0,
    65_535,
  ),
  host: requiredText({
    name: "WEFT_HOST",
    fallback: "127.0.0.1",
    sentence: "Address that the HTTP server listens on.",
  }),
  dataDir: requiredText({
    name: "WEFT_DATA_DIR",
    fallback: "./.weft",
    sentence: "Directory of the database; made when it is missing.",
  }),
  apiKey: text({
    name: "WEFT_API_KEY",
    sentence: "The owner's API key; without it a key is made on the first start, printed once and kept hashed.",
  }),
  url: text({
    name: "WEFT_URL",
    fallback: "http://127.0.0.1:8787",
    sentence: "Server that the command line talks to.",
  }),
  publicUrl: text({
    name: "WEFT_PUBLIC_URL",
    sentence: "Address under which people reach the server, for links to it; default: where it listens.",
  }),
  store: oneOf({ name: "WEFT_STORE", sentence: "Where everything is kept: SQLite in the data directory." }, ["sqlite"]),
  durability: oneOf(
    {
      name: "WEFT_DURABILITY",
      sentence:
        "`full` syncs every commit to the disk; `relaxed` may lose the last moments when the machine loses power.",
    },
    ["full", "relaxed"],
  ),
  workers: wholeNumber(
    {
      name: "WEFT_WORKERS",
      fallback: String(availableParallelism()),
      unit: "threads",
      sentence: "Worker threads, each with a host process of its own; default: one per core.",
    },
    1,
    256,
  ),
  hostProfile: oneOf(
    {
      name: "WEFT_HOST_PROFILE",
      sentence:
        "`auto` runs the owner's scripts with the JIT and everyone else's without; `fast` or `hardened` forces one for all.",
    },
    ["auto", "fast", "hardened"],
  ),
  hostWall: oneOf(
    {
      name: "WEFT_HOST_WALL",
      sentence:
        "`bwrap` starts each host process behind bubblewrap (Linux): namespaces of its own, no network, a filter of system calls.",
    },
    ["none", "bwrap"],
  ),
  hostFlags: list(
    {
      name: "WEFT_HOST_FLAGS",
      sentence:
        "More flags of Node for host processes, separated by commas, to measure them; scripts get what they allow.",
    },
    /^--[a-z][\w-]*(=\S+)?$/,
    "flags such as --prof, separated by commas",
  ),
  isolation: oneOf(
    {
      name: "WEFT_ISOLATION",
      sentence: "Least isolation of every execution: a frozen realm, a fresh context or a fresh isolate.",
    },
    ["frozen", "context", "isolate"],
  ),
  allowPrivate: list(
    {
      name: "WEFT_HTTP_ALLOW_PRIVATE",
      sentence: "Private address ranges that scripts may reach, as CIDR separated by commas.",
    },
    CIDR,
    "a CIDR range such as 10.0.0.0/8",
  ),
  allowHosts: list(
    {
      name: "WEFT_HTTP_ALLOW_HOSTS",
      sentence:
        "Hosts that scripts, tools, MCP servers and webhooks may reach at all, such as `*.example.com` or `api.example.com:443`, separated by commas; default: any public one.",
    },
    HOST_RULE,
    "a host such as api.example.com, *.example.com or api.example.com:8443",
  ),
  openaiApiKey: text({ name: "OPENAI_API_KEY", sentence: "Key of the default model service." }),
  openaiBaseUrl: text({ name: "OPENAI_BASE_URL", sentence: "Base URL of the default model service." }),
  modelsFile: text({
    name: "WEFT_MODELS",
    sentence:
      "JSON file that names models, their services, prices and largest answers, and routes intents and applications to them.",
  }),
  maxConcurrent: wholeNumber(
    {
      name: "WEFT_MAX_CONCURRENT",
      fallback: "10000",
      unit: "executions",
      sentence: "Executions called from outside that run at the same time.",
    },
    1,
  ),
  maxQueued: wholeNumber(
    {
      name: "WEFT_MAX_QUEUED",
      fallback: "10000",
      unit: "executions",
      sentence:
        "Waiting calls before further ones are refused with OVERLOADED; background ones count only with secrets, the others wait on the disk.",
    },
    0,
  ),
  maxDelayMs: wholeNumber(
    {
      name: "WEFT_MAX_DELAY_MS",
      fallback: "1000",
      unit: "ms",
      sentence: "How late the server's thread may be before calls are refused with OVERLOADED at once.",
    },
    1,
  ),
  maxJobs: wholeNumber(
    {
      name: "WEFT_MAX_JOBS",
      fallback: "5000000",
      unit: "executions",
      sentence:
        "Background calls of one account that wait in the queue before further ones are refused with RATE_LIMITED.",
    },
    1,
  ),
  maxNested: wholeNumber(
    {
      name: "WEFT_MAX_NESTED",
      fallback: "10000",
      unit: "executions",
      sentence: "Nested executions that one call from outside may start in total.",
    },
    0,
  ),
  cacheMemoryMb: wholeNumber(
    { name: "WEFT_CACHE_MEMORY_MB", fallback: "64", unit: "MiB", sentence: "Memory for cached results." },
    1,
  ),
  cacheDiskMb: wholeNumber(
    { name: "WEFT_CACHE_DISK_MB", fallback: "1024", unit: "MiB", sentence: "Disk for cached results." },
    1,
  ),
  cacheTtlMs: wholeNumber(
    {
      name: "WEFT_CACHE_TTL_MS",
      fallback: "86400000",
      unit: "ms",
      sentence: "How long the result of a pure execution is kept when the script names no time.",
    },
    0,
  ),
  idempotencyTtlMs: wholeNumber(
    {
      name: "WEFT_IDEMPOTENCY_TTL_MS",
      fallback: "86400000",
      unit: "ms",
      sentence: "How long an Idempotency-Key stands for the execution that it was first sent with.",
    },
    1,
  ),
  retentionMaxAgeMs: optionalWholeNumber(
    {
      name: "WEFT_RETENTION_MAX_AGE_MS",
      unit: "ms",
      sentence: "How long ended executions are kept, unless `config.retention.age` of the script says otherwise.",
    },
    1,
  ),
  retentionMaxRuns: optionalWholeNumber(
    {
      name: "WEFT_RETENTION_MAX_RUNS",
      unit: "executions",
      sentence:
        "How many ended executions of each workflow are kept, unless `config.retention.runs` of the script says otherwise.",
    },
    0,
  ),
  stopGraceMs: wholeNumber(
    {
      name: "WEFT_STOP_GRACE_MS",
      fallback: "10000",
      unit: "ms",
      sentence: "How long a stopping server waits for running executions; the rest is resumed at the next start.",
    },
    0,
  ),
  datastoreImports: wholeNumber(
    {
      name: "WEFT_DATASTORE_IMPORTS",
      fallback: "2",
      unit: "imports",
      sentence: "Imports into datastores that run at the same time; the others wait.",
    },
    1,
    64,
  ),
  executionsPerMinute: optionalWholeNumber(
    {
      name: "WEFT_EXECUTIONS_PER_MINUTE",
      unit: "executions",
      sentence: "Executions that one key may start in a minute by `/api/workflows/{id}/execute` and its stream.",
    },
    1,
  ),
  armWindowMs: wholeNumber(
    {
      name: "WEFT_ARM_WINDOW_MS",
      fallback: "600000",
      unit: "ms",
      sentence: "How long a webhook of a graph takes its one call after it was armed.",
    },
    1,
    86_400_000,
  ),
  datastoreKeepMs: wholeNumber(
    {
      name: "WEFT_DATASTORE_KEEP_MS",
      fallback: "3600000",
      unit: "ms",
      sentence:
        "How long the records of before stay on the disk at least once a datastore was replaced; replays and forks need them.",
    },
    0,
  ),
  minFreeDiskMb: wholeNumber(
    {
      name: "WEFT_MIN_FREE_DISK_MB",
      fallback: "512",
      unit: "MiB",
      sentence: "Disk that imports leave free.",
    },
    0,
  ),
  ...ACCESS_SETTINGS,
  examples: oneOf({ name: "WEFT_EXAMPLES", sentence: "Whether the examples are loaded into an empty store." }, [
    "on",
    "off",
  ]),
} as const;
