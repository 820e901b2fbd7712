import type { HostileScript, HostileScripts } from "../../support/hostile.ts";

const overflow = (script: string): HostileScript => ({
  script,
  ends: ["workflow_execution_error", "workflow_cpu_exceeded", "workflow_out_of_memory"],
});

/** Scripts that go too deep; whatever breaks, breaks alone. */
export const DEEP: HostileScripts = {
  recurses: {
    script: "const f = () => f(); return f();",
    ends: ["workflow_execution_error"],
    says: "Maximum call stack size exceeded",
  },
  "recurses asynchronously": {
    script: "const f = async () => { await f(); }; return f();",
    ends: ["workflow_execution_error", "workflow_cpu_exceeded"],
  },
  "recurses through a getter": overflow("const o = { get a() { return this.a; } }; return o.a;"),
  "recurses through toJSON": overflow(
    "const o = { toJSON() { return JSON.stringify(this); } }; return JSON.stringify(o);",
  ),
  "recurses through a proxy": overflow("let p; p = new Proxy({}, { get: (_, k) => p[k] }); return p.x;"),
  "recurses through a sort": overflow("const f = () => [2, 1].sort(f); return f();"),
  "recurses through a replace": overflow(`const f = () => "a".replace(/a/, f); return f();`),
  "recurses and catches": overflow("const f = () => { try { f(); } finally { f(); } }; return f();"),
  "chains proxies": overflow("let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x;"),
  "chains bound functions": {
    script: "let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null); return f();",
    ends: ["ok", "workflow_execution_error"],
  },
  "prints a deep array": overflow("let a = []; for (let i = 0; i < 1e6; i++) a = [a]; return String(a);"),
  "returns a deep array": {
    script: "let a = []; for (let i = 0; i < 1e6; i++) a = [a]; return a;",
    ends: ["output_not_serializable", "workflow_cpu_exceeded", "workflow_out_of_memory"],
  },
  "parses a deep expression": overflow(`return new Function("return " + "(".repeat(1e5) + "1" + ")".repeat(1e5))();`),
  "compiles a deep expression": overflow(`return new RegExp("(".repeat(1e6) + ")".repeat(1e6)).test("");`),
  "compiles an expression at the bottom of the stack": overflow(
    `const source = "(?:".repeat(3000) + "a" + ")*".repeat(3000);
     const f = () => { try { return f(); } catch { return new RegExp(source).test("aaa"); } };
     for (let i = 0; i < 50; i++) f(); return f();`,
  ),
  "makes Intl objects at the bottom of the stack": {
    script:
      "const f = () => { try { return f(); } catch { return new Intl.DateTimeFormat('de').format(0); } }; return f();",
    ends: ["ok", "workflow_execution_error", "workflow_cpu_exceeded", "workflow_out_of_memory"],
  },
  "calls ctx at the bottom of the stack": {
    script:
      "const f = () => { try { return f(); } catch { ctx.emit('deep', 1); ctx.log('deep'); return 1; } }; return f();",
    ends: ["ok", "workflow_execution_error"],
  },
};
