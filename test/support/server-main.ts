import { parseSettings } from "../../src/config.ts";
import { startServer } from "../../src/server.ts";

const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("WEFT_")));
const server = await startServer(parseSettings(environment), (error) => process.stderr.write(`${String(error)}\n`));
process.once("SIGTERM", () => server.close().finally(() => process.exit(0)));
process.stdout.write(`${server.url}\n`);
