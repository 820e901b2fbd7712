import { parseSettings } from "../../src/config.ts";
import { startServer } from "../../src/server.ts";

const server = await startServer(parseSettings(process.env), (error) => process.stderr.write(`${String(error)}\n`));
process.once("SIGTERM", () => server.close().finally(() => process.exit(0)));
process.stdout.write(`${server.url}\n`);
