import { parseSettings } from "../../src/config.ts";
import { startServer } from "../../src/server.ts";

const server = await startServer(parseSettings(process.env), (error) => process.stderr.write(`${String(error)}\n`));
// Whoever started it is gone: so is the need for it.
process.stdin.once("close", () => process.exit(1)).resume();
process.once("SIGTERM", () => server.close().finally(() => process.exit(0)));
process.stdout.write(`${server.url}\n`);
