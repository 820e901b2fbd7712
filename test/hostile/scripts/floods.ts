import type { HostileScripts } from "../../support/hostile.ts";

const LIMIT = ["workflow_limit_exceeded"];

/** Floods of what leaves the sandbox. */
export const FLOODS: HostileScripts = {
  "emits chunks without end": { script: "for (;;) ctx.emit('x', 1);", ends: LIMIT, says: "1000 chunks" },
  "emits a gigabyte": {
    script:
      "const piece = 'x'.repeat(250_000); for (let i = 0; i < 4000; i++) { ctx.emit('x', piece); if (i % 16 === 0) await new Promise((done) => setTimeout(done, 0)); } return 1;",
    // On a busy machine writing 64 MiB takes longer than the CPU limit of these tests.
    ends: [...LIMIT, "workflow_cpu_exceeded"],
  },
  "emits one giant chunk": { script: "ctx.emit('x', 'y'.repeat(1e7)); return 1;", ends: LIMIT, says: "262144" },
  "emits under a giant name": { script: "ctx.emit('x'.repeat(1e7)); return 1;", ends: LIMIT, says: "262144" },
  "writes without end": { script: "for (;;) ctx.write('x');", ends: LIMIT, says: "1000 chunks" },
  "catches the limit and emits on": {
    script:
      "let refused = 0; for (let i = 0; i < 5000; i++) try { ctx.emit('x', i); } catch { refused++; } return refused;",
    ends: ["ok"],
    output: 4000,
  },
  "logs without end": {
    script: "for (let i = 0; i < 20_000; i++) ctx.log('line ' + i, { i }); return 'logged';",
    ends: ["ok"],
    output: "logged",
  },
  "logs giant lines": {
    script:
      "for (let i = 0; i < 20; i++) { console.log('x'.repeat(1e6)); ctx.log('m', { f: 'y'.repeat(1e6) }); } return 'logged';",
    ends: ["ok"],
    output: "logged",
  },
  "calls without awaiting": {
    script: "for (let i = 0; i < 1e5; i++) ctx.http.get('http://127.0.0.1:9/' + i); return 1;",
    ends: ["workflow_limit_exceeded", "workflow_cpu_exceeded", "workflow_out_of_memory", "ok"],
  },
  "awaits more calls than may run at once": {
    script: "await Promise.all(Array.from({ length: 1001 }, () => ctx.sleep(60_000))); return 1;",
    ends: LIMIT,
    says: "1000 ctx calls",
  },
  "starts timers without end": {
    script: "for (;;) setTimeout(() => {}, 60_000);",
    ends: LIMIT,
    says: "1000 ctx calls",
  },
  "starts intervals without end": { script: "for (;;) setInterval(() => {}, 1);", ends: LIMIT, says: "1000 ctx calls" },
  "starts timers from timers": {
    script: "const again = () => { setTimeout(again, 0); }; again(); await new Promise(() => {});",
    ends: ["workflow_timeout", "workflow_cpu_exceeded"],
    timeoutSeconds: 0.5,
  },
  "sends a giant argument": {
    script: "await ctx.http.post('http://127.0.0.1:9/', { body: 'x'.repeat(2e6) }); return 1;",
    ends: LIMIT,
    says: "1048576",
  },
  "sends a shared graph": {
    script:
      "let a = [1]; for (let i = 0; i < 28; i++) a = [a, a]; await ctx.http.post('http://127.0.0.1:9/', { json: a }); return 1;",
    ends: ["workflow_execution_error", "workflow_out_of_memory", "workflow_cpu_exceeded", "http_error"],
  },
  "calls itself without end": {
    script:
      "return (await ctx.workflow.completions.create({ model: 'workflow:' + ctx.workflow_info.ref_name, input: {} })).output;",
    ends: ["workflow_execution_error", "workflow_limit_exceeded"],
  },
};
