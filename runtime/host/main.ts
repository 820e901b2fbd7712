import { Socket } from "node:net";
import { type Hello, Host } from "./host.ts";

/** Put in front of this program by worker/host-source.ts. */
declare const WEFT_HELLO: Hello;

const end = () => process.kill(process.pid, "SIGKILL");

process.env["TZ"] = "UTC";
process.on("uncaughtException", (error) => {
  process.stderr.write(`weft host: ${error.stack ?? error.message}\n`, end);
});
const socket = new Socket({ fd: 3, readable: true, writable: true });
socket.on("close", end);
socket.on("error", end);
new Host(socket, WEFT_HELLO);
