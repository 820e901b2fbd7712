import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { within } from "./until.ts";

/** What came of each try of a probe: `done` with what it got, or the code of its error. */
export type Tries = Readonly<Record<string, string>>;

/** What a probe is told. */
export interface ProbeFacts {
  /** Port of a listener on 127.0.0.1. */
  readonly port: number;
  /** A file of this project. */
  readonly file: string;
  /** A directory that this user may write to. */
  readonly directory: string;
}

/** The program: what somebody would try who has taken over the whole process. It goes to standard input and answers on fd 3. */
const PROBE = `
const fs = require("node:fs"), net = require("node:net"), os = require("node:os");
const tries = {};
let failing = null;
process.on("uncaughtException", (error) => failing?.(error));
process.on("warning", () => 1);
const show = (value) => "done " + (JSON.stringify(value) ?? String(value)).slice(0, 2000);
const note = (name, error) => { tries[name] = error?.code ?? error?.cause?.code ?? error?.message ?? String(error); };
const attempt = (name, f) => { try { tries[name] = show(f()); } catch (error) { note(name, error); } };
const later = (name, make) => new Promise((resolve) => {
  const over = (set) => { set(); resolve(); };
  failing = (error) => over(() => { if (!(name in tries)) note(name, error); });
  setTimeout(() => over(() => { tries[name] ??= "no answer"; }), 3000).unref();
  try { make((value) => over(() => { tries[name] ??= show(value); }), (error) => over(() => { if (!(name in tries)) note(name, error); })); } catch (error) { over(() => note(name, error)); }
});
(async () => {
  attempt("env", () => Object.keys(process.env));
  attempt("argv", () => process.argv.slice(1));
  attempt("uid", () => process.getuid());
  attempt("hostname", () => os.hostname());
  attempt("interfaces", () => Object.keys(os.networkInterfaces()));
  attempt("limits", () => { const { data_seg_size_bytes: data, core_file_size_blocks: core } = process.report.getReport().userLimits; return { data: data.hard, core: core.hard }; });
  attempt("passwd", () => fs.readFileSync("/etc/passwd", "utf8").length);
  attempt("file", () => fs.readFileSync(facts.file, "utf8").length);
  attempt("root", () => fs.readdirSync("/").toSorted());
  attempt("parent environment", () => fs.readFileSync("/proc/" + process.ppid + "/environ", "utf8").length);
  attempt("own environment", () => fs.readFileSync("/proc/self/environ", "utf8").length);
  attempt("processes", () => fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).length);
  attempt("write", () => fs.writeFileSync(facts.directory + "/from-a-host", "x"));
  attempt("write beside the add-on", () => fs.writeFileSync(process.cwd() + "/from-a-host", "x"));
  attempt("open a descriptor", () => fs.openSync("/proc/self/fd/0"));
  attempt("spawn", () => { const { error, status } = require("node:child_process").spawnSync(process.execPath, ["--version"]); if (error) throw error; return status; });
  attempt("shell", () => String(require("node:child_process").execFileSync("/bin/sh", ["-c", "id"])));
  attempt("binding", () => typeof process.binding("spawn_sync").spawn({ file: "/bin/sh", args: ["sh", "-c", "id"], stdio: [{ type: "ignore" }, { type: "ignore" }, { type: "ignore" }], envPairs: [] }));
  attempt("worker", () => { const { Worker } = require("node:worker_threads"); new Worker("1", { eval: true }).on("error", () => 1).terminate(); return "started"; });
  attempt("inspector", () => { const inspector = require("node:inspector"); inspector.open(0); return inspector.url(); });
  attempt("add-on", () => { process.dlopen({ exports: {} }, facts.file); return 1; });
  attempt("wasi", () => { const { WASI } = require("node:wasi"); new WASI({ version: "preview1", preopens: { "/": "/" } }); return 1; });
  attempt("signal the parent", () => process.kill(facts.parent, 0));
  await later("connect", (done, fail) => net.connect(facts.port, "127.0.0.1").on("connect", () => done("connected")).on("error", fail));
  await later("connect by path", (done, fail) => net.connect(facts.directory + "/socket").on("connect", () => done("connected")).on("error", fail));
  await later("listen", (done, fail) => { const server = net.createServer().on("error", fail).listen(0, "127.0.0.1", () => { server.close(); done("listening"); }); });
  await later("fetch", (done, fail) => fetch("http://127.0.0.1:" + facts.port).then((answer) => done(answer.status), fail));
  await later("datagram", (done, fail) => { const socket = require("node:dgram").createSocket("udp4").on("error", fail); socket.send("x", facts.port, "127.0.0.1", (error) => { socket.close(); error ? fail(error) : done("sent"); }); });
  await later("name", (done, fail) => require("node:dns").lookup("example.com", (error, address) => (error ? fail(error) : done(address))));
  const out = new net.Socket({ fd: 3, readable: true, writable: true });
  out.end(JSON.stringify(tries), () => setTimeout(() => process.kill(process.pid, "SIGKILL"), 20));
})();`;

/** Runs the probe in a process that was just started like a host; resolves to what it could do. */
export async function probe(child: ChildProcess, facts: ProbeFacts): Promise<Tries> {
  const complaints = child.stderr === null ? Promise.resolve("") : text(child.stderr);
  child.stdin?.end(`const facts = ${JSON.stringify({ ...facts, parent: process.pid })};\n${PROBE}`);
  const answer = await within(text(child.stdio[3] as Readable), () => "the answer of a probe");
  if (answer === "") throw new Error(`the probe said nothing: ${await complaints}`);
  return JSON.parse(answer) as Tries;
}
