import type { HostileScript, HostileScripts } from "../../support/hostile.ts";

const returns = (script: string, output: unknown): HostileScript => ({ script, ends: ["ok"], output });
const unserializable = (script: string, says: string): HostileScript => ({
  script,
  ends: ["output_not_serializable"],
  says,
});
const throws = (script: string, says: string): HostileScript => ({ script, ends: ["workflow_execution_error"], says });
const CPU = ["workflow_cpu_exceeded"];

/** Values that are strange to return. */
export const RETURNS: HostileScripts = {
  "returns nothing": { script: "return;", ends: ["workflow_no_output"] },
  "returns undefined in a promise": { script: "return Promise.resolve();", ends: ["workflow_no_output"] },
  "returns null": returns("return null;", null),
  "returns NaN": returns("return NaN;", null),
  "returns undefined in an array": returns("return [undefined, () => 1];", [null, null]),
  "returns a function": unserializable("return () => 1;", "a function"),
  "returns a symbol": unserializable("return Symbol('x');", "a symbol"),
  "returns a BigInt": unserializable("return 1n;", "BigInt"),
  "returns a cycle": unserializable("const a = {}; a.a = a; return a;", "circular"),
  "returns a revoked proxy": unserializable(
    "const { proxy, revoke } = Proxy.revocable({}, { get: () => undefined }); setTimeout(() => 0); const p = { proxy }; revoke(); return p;",
    "revoked",
  ),
  "returns a toJSON that throws": unserializable("return { toJSON() { throw new Error('no way'); } };", "no way"),
  "returns a toJSON that throws a proxy": unserializable(
    "return { toJSON() { throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 2; } }); } };",
    "unknown reason",
  ),
  "returns a toJSON of undefined": unserializable("return { toJSON() {} };", "a object"),
  "returns a thenable that never settles": {
    script: "return { then() {} };",
    ends: ["workflow_timeout"],
    timeoutSeconds: 0.3,
  },
  "returns a thenable that settles twice": returns("return { then(f, r) { f(1); r(2); f(3); throw 4; } };", 1),
  "returns a toJSON that lies": returns("return { a: 1, toJSON: () => ({ b: 2 }) };", { b: 2 }),
  "returns a string over the limit": {
    script: `return "x".repeat(6e6);`,
    ends: ["workflow_limit_exceeded"],
    says: "maxOutputBytes",
  },
  "returns few characters of many bytes": {
    script: `return "\u20ac".repeat(2e6);`,
    ends: ["workflow_limit_exceeded"],
    says: "maxOutputBytes",
  },
  "returns line ends and control characters": returns(
    `return "a\\n\\r\\t\\u0000\\u2028\\u2029\\ud800";`,
    "a\n\r\t\u0000\u2028\u2029\ud800",
  ),
  "never resolves": {
    script: "await new Promise(() => {});",
    ends: ["workflow_timeout"],
    says: "300 ms",
    timeoutSeconds: 0.3,
  },
  "never resolves and keeps a timer": {
    script: "setInterval(() => {}, 10); await new Promise(() => {});",
    ends: ["workflow_timeout"],
    timeoutSeconds: 0.3,
  },
  "throws in ctx.signal": {
    script: "ctx.signal.onabort = () => { throw null; }; await new Promise(() => {});",
    ends: ["workflow_timeout"],
    timeoutSeconds: 0.3,
  },
};

const nests = (script: string, levels = 100_000): HostileScript => ({
  script: `let deep = []; for (let i = 0; i < ${levels}; i++) deep = [deep]; ${script}`,
  ends: ["workflow_limit_exceeded", "output_not_serializable"],
  says: "",
});

/** Values without end, wherever a script can send one. */
export const DEEP: HostileScripts = {
  "returns a value nested 100,000 levels deep": nests("return deep;"),
  "emits one": nests("ctx.emit('deep', deep); await ctx.sleep(1); return 1;"),
  "logs one": nests("ctx.log('deep', { deep }); await ctx.sleep(1); return 1;", 3_000),
  "throws one": nests("throw new WorkflowError('m', { details: { deep } });", 3_000),
  "hands one to another workflow": nests(
    "await ctx.workflow.completions.create({ model: 'workflow:none', input: deep }); return 1;",
  ),
  "returns a value nested 400 levels deep": {
    script: "let deep = 1; for (let i = 0; i < 400; i++) deep = { deep }; return JSON.stringify(deep).length;",
    ends: ["ok"],
    output: 3601,
  },
};

/** Values that are strange to throw. */
export const THROWS: HostileScripts = {
  "throws null": throws("throw null;", "null"),
  "throws undefined": throws("throw undefined;", "undefined"),
  "throws a symbol": throws("throw Symbol('x');", "Symbol(x)"),
  "throws a BigInt": throws("throw 10n;", "10"),
  "throws a function": throws("throw () => 1;", "=>"),
  "throws an object without prototype": throws("throw Object.create(null);", "without a message"),
  "throws a giant message": throws("throw new Error('x'.repeat(1e7));", "xxx"),
  "throws a proxy": throws("throw new Proxy(new Error('inside'), {});", "inside"),
  "throws a proxy that throws": throws(
    "throw new Proxy({}, new Proxy({}, { get() { throw new Error('trap'); } }));",
    "",
  ),
  "throws a proxy whose prototype throws": throws("throw new Proxy({}, { getPrototypeOf() { throw 1; } });", ""),
  "throws a revoked proxy": throws("const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy;", ""),
  "throws a revoked function proxy": throws(
    "const { proxy, revoke } = Proxy.revocable(() => 1, {}); revoke(); throw proxy;",
    "",
  ),
  "throws a getter that throws": throws(
    "throw { get message() { throw 1; }, get stack() { throw 2; }, get name() { throw 3; } };",
    "",
  ),
  "throws an error named by an object": throws(
    "const e = new Error('m'); e.name = { a: 1 }; e.message = 7; throw e;",
    "",
  ),
  "throws an error with hostile details": {
    script: "throw new WorkflowError('m', { code: 'X'.repeat(1e6), details: { toJSON() { throw 1; } } });",
    ends: ["X".repeat(100)],
    says: "m",
  },
  "throws a forged code": throws(
    "throw Object.assign(new Error('forged'), { code: 'INTERNAL', status: 200 });",
    "forged",
  ),
  "throws a cause without end": throws("const e = new Error('e'); e.cause = e; throw e;", "e"),
  "rejects and goes on": {
    script: "Promise.reject(new Error('nobody cares')); await ctx.sleep(5); return 'went on';",
    ends: ["ok"],
    output: "went on",
  },
  "rejects by the thousand": {
    script: "for (let i = 0; i < 3000; i++) Promise.reject(i); await ctx.sleep(5); return 'went on';",
    ends: ["ok"],
    output: "went on",
  },
  "throws in a timer": {
    script: "setTimeout(() => { throw new Error('late'); }, 1); await ctx.sleep(20); return 1;",
    ends: ["ok", "workflow_execution_error"],
  },
};

/** Results and errors that burn time or memory when they are looked at. */
export const BURNING_VALUES: HostileScripts = {
  "returns a toJSON that loops": { script: "return { toJSON() { for (;;); } };", ends: CPU },
  "returns a proxy that loops": { script: "return { p: new Proxy({}, { ownKeys() { for (;;); } }) };", ends: CPU },
  "returns a thenable that loops": { script: "return { then() { for (;;); } };", ends: CPU },
  "returns thenables for ever": { script: "const t = { then(f) { f(t); } }; return t;", ends: CPU },
  "throws a getter that loops": { script: "throw { get message() { for (;;); } };", ends: CPU },
  "throws a stack getter that loops": { script: "throw { get stack() { for (;;); } };", ends: CPU },
  "throws a toString that loops": { script: "throw Object.assign(() => 1, { toString() { for (;;); } });", ends: CPU },
  "returns a giant string": {
    script: `return "x".repeat(2 ** 28);`,
    ends: ["workflow_limit_exceeded", "workflow_out_of_memory", "workflow_cpu_exceeded"],
  },
  "returns a shared graph of 2^28 nodes": {
    script: "let a = [1]; for (let i = 0; i < 28; i++) a = [a, a]; return a;",
    ends: ["output_not_serializable", "workflow_out_of_memory", "workflow_cpu_exceeded"],
  },
  "ignores ctx.signal": {
    script: "ctx.signal.addEventListener('abort', () => { for (;;); }); await new Promise(() => {});",
    ends: ["workflow_timeout"],
    timeoutSeconds: 0.3,
  },
};

/** Files that break while they are loaded: refused at upload. */
export const LOADING: HostileScripts = Object.fromEntries(
  Object.entries({
    "throws null": "throw null;",
    "throws a proxy": "throw new Proxy({}, { getPrototypeOf() { throw 1; }, get() { throw 2; } });",
    loops: "for (;;);",
    "bombs memory": "const a = []; for (;;) a.push([1]);",
    "loops in a rejected getter": "Promise.reject({ get message() { for (;;); }, get stack() { for (;;); } });",
    "has a config that is a proxy": "export const config = new Proxy({}, { ownKeys() { throw new Error('trap'); } });",
    "has a giant config": `export const config = { timeout: "x".repeat(1e7) };`,
    "has a cyclic schema": "export const inputSchema = { type: 'object' }; inputSchema.self = inputSchema;",
    "walks an endless array": "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);",
  }).map(([name, top]) => [
    name,
    { script: `${top}\nexport const execute = () => 1;`, ends: ["invalid_script"] } satisfies HostileScript,
  ]),
);
