import type { HostileScript, HostileScripts } from "../../support/hostile.ts";

const LEVELS = ["frozen", "context", "isolate"] as const;

/** The script at every isolation level; it must complete with `output`. */
export function everywhere(name: string, body: string, output: unknown): HostileScripts {
  return Object.fromEntries(
    LEVELS.map((level) => {
      const script = `export const config = { isolation: "${level}" };\nexport async function execute(ctx: any) {\n${body}\n}`;
      return [`${name} (${level})`, { script, ends: ["ok"], output } satisfies HostileScript];
    }),
  );
}
