import { list, oneOf, optionalWholeNumber, text, wholeNumber } from "./setting.ts";

const ORIGIN = /^(\*|https?:\/\/[A-Za-z0-9.[\]:-]+)$/;
const CIDR = /^[0-9a-fA-F:.]+\/\d{1,3}$/;

/** Who may call, how much, and what is kept of it. */
export const ACCESS_SETTINGS = {
  accountRequestsPerMinute: optionalWholeNumber(
    {
      name: "WEFT_ACCOUNT_REQUESTS_PER_MINUTE",
      unit: "requests",
      sentence: "Requests that an account without a limit of its own may make in a minute; the owner's has none.",
    },
    1,
  ),
  accountConcurrency: optionalWholeNumber(
    {
      name: "WEFT_ACCOUNT_CONCURRENCY",
      unit: "requests",
      sentence: "Requests that an account without a limit of its own may have open at once; the owner's has none.",
    },
    1,
  ),
  auditMaxAgeMs: wholeNumber(
    {
      name: "WEFT_AUDIT_MAX_AGE_MS",
      fallback: "31536000000",
      unit: "ms",
      sentence: "How long the audit log keeps management actions.",
    },
    1,
  ),
  corsOrigins: list(
    {
      name: "WEFT_CORS_ORIGINS",
      sentence: "Origins whose pages may call the API from a browser, separated by commas; `*` = any, none by default.",
    },
    ORIGIN,
    "an origin such as https://app.example, or *",
  ),
  trustProxy: list(
    {
      name: "WEFT_TRUST_PROXY",
      sentence: "Addresses of proxies whose X-Forwarded-For is believed, as CIDR separated by commas.",
    },
    CIDR,
    "a CIDR range such as 10.0.0.0/8",
  ),
  secretsKey: text({
    name: "WEFT_SECRETS_KEY",
    sentence:
      "Keys that seal stored secrets, 32 bytes as base64 or hex, the newest first, separated by commas; default: secrets.key in the data directory.",
  }),
  secretsKeyFile: text({
    name: "WEFT_SECRETS_KEY_FILE",
    sentence: "File with these keys, one a line, instead.",
  }),
  secretsLost: oneOf(
    {
      name: "WEFT_SECRETS_LOST",
      sentence: "Where secrets are sealed with a key that is not there: `refuse` to start, or `keep` them unread.",
    },
    ["refuse", "keep"],
  ),
} as const;
