import type { SealedValue, Store, StoredSecret } from "../store.ts";
import type { Database } from "./database.ts";
import type { Writer } from "./writer.ts";

interface SecretRow {
  readonly account_id: string;
  readonly name: string;
  readonly sealed: string;
  readonly refs: string | null;
  readonly hosts: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

type Secrets = Pick<Store, "listSecrets" | "putSecret" | "removeSecret" | "listSealed" | "replaceSealed" | "emptyLog">;

const PUT = `INSERT INTO secrets (account_id, name, sealed, refs, hosts, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET sealed = excluded.sealed, refs = excluded.refs, hosts = excluded.hosts, updated_at = excluded.updated_at`;
/** How the names of settings with an account's own webhook secret begin. */
const OWN = "webhook secret of ";

/** Where sealed values are, and how one is replaced. */
const KINDS: readonly { readonly kind: SealedValue["kind"]; readonly list: string; readonly replace: string }[] = [
  {
    kind: "endpoint",
    list: "SELECT account_id AS accountId, id, secret AS text FROM webhook_endpoints",
    replace: "UPDATE webhook_endpoints SET secret = ? WHERE id = ?",
  },
  {
    kind: "former",
    list: "SELECT account_id AS accountId, id, former_secret AS text FROM webhook_endpoints WHERE former_secret IS NOT NULL",
    replace: "UPDATE webhook_endpoints SET former_secret = ? WHERE id = ?",
  },
  {
    kind: "account",
    list: `SELECT substr(name, ${OWN.length + 1}) AS accountId, name AS id, value AS text FROM settings
      WHERE name >= '${OWN}' AND name < 'webhook secret of!'`,
    replace: "UPDATE settings SET value = ? WHERE name = ?",
  },
  {
    kind: "trigger",
    list: "SELECT account_id AS accountId, id, secret AS text FROM graph_triggers",
    replace: "UPDATE graph_triggers SET secret = ? WHERE id = ?",
  },
  {
    kind: "graph",
    list: `SELECT account_id AS accountId, version_id AS id, text FROM graph_documents WHERE instr(text, '"webhook_secret"')`,
    replace: "UPDATE graph_documents SET text = ? WHERE version_id = ?",
  },
  {
    kind: "secret",
    list: "SELECT account_id AS accountId, name AS id, sealed AS text FROM secrets WHERE hosts IS NULL",
    replace: "UPDATE secrets SET sealed = ? WHERE name = ? AND account_id = ?",
  },
  {
    kind: "handle",
    list: "SELECT account_id AS accountId, name AS id, sealed AS text FROM secrets WHERE hosts IS NOT NULL",
    replace: "UPDATE secrets SET sealed = ? WHERE name = ? AND account_id = ?",
  },
];

const toSecret = (row: SecretRow): StoredSecret => ({
  accountId: row.account_id,
  name: row.name,
  sealed: row.sealed,
  refs: row.refs === null ? null : row.refs.split(" "),
  hosts: row.hosts === null ? null : row.hosts.split(" "),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

function replace(db: Database, { kind, accountId, id, text }: SealedValue): void {
  const sql = KINDS.find((one) => one.kind === kind)?.replace ?? "";
  db.run(sql, text, id, ...(kind === "secret" || kind === "handle" ? [accountId] : []));
}

/** Stored secrets and everything else that is sealed. */
export function createSecrets(db: Database, writer: Writer): Secrets {
  return {
    listSecrets: async () => db.all<SecretRow>("SELECT * FROM secrets").map(toSecret),
    async putSecret({ secret }) {
      const { accountId, name, sealed, refs, hosts, createdAt, updatedAt } = secret;
      const lists = [refs?.join(" ") ?? null, hosts?.join(" ") ?? null] as const;
      await writer.write(() => db.run(PUT, accountId, name, sealed, ...lists, createdAt, updatedAt));
    },
    removeSecret: ({ accountId, name }) =>
      writer.write(() => db.run("DELETE FROM secrets WHERE account_id = ? AND name = ?", accountId, name) === 1),
    listSealed: async () =>
      KINDS.flatMap(({ kind, list }) => db.all<Omit<SealedValue, "kind">>(list).map((row) => ({ kind, ...row }))),
    async replaceSealed({ values }) {
      await writer.write(() => {
        // What was there is overwritten with zeros, not just given up: it may have been plain.
        db.exec("PRAGMA secure_delete = ON");
        try {
          for (const value of values) replace(db, value);
        } finally {
          db.exec("PRAGMA secure_delete = OFF");
        }
      });
    },
    async emptyLog() {
      await writer.write(() => undefined);
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    },
  };
}
