import { createContext, Script } from "node:vm";
import { needsOf, POST } from "../../sandbox/wire.ts";
import type { Bundle } from "../bundle-types.ts";
import type { LogLine } from "../execution.ts";
import type { HostDelivery } from "../worker/host-delivery.ts";
import type { HostRun, RunListener } from "../worker/host-process.ts";
import type { RunHost } from "../worker/run-options.ts";
import { withDebugInfo } from "./debug-info.ts";

/** See sandbox/prelude.ts. */
type Deliver = (
  ...delivery: [
    kind: string,
    run: number,
    n: number,
    now: number,
    payload: string,
    data: string,
    secrets: string,
    bundle: unknown,
  ]
) => void;
type Post = [kind: number, n: number, name: string, text: string, more: string];
type Boot = (post: (...post: Post) => void, ops: string) => Deliver;

/** What one inspected run needs. */
export interface VmHostOptions {
  /** An expression that yields the boot function of a realm. */
  readonly prelude: string;
  /** JSON text of the op names. */
  readonly manifest: string;
  readonly bundle: Bundle;
  /** Address of each source file by its path in the upload, where a debugger finds it. */
  readonly addressOf: (path: string) => string;
}

const RUN = 1;

function report(listener: RunListener, [kind, n, name, text, more]: Post): unknown {
  switch (kind) {
    case POST.op:
      return listener.op(n, name, text, more);
    case POST.drop:
      return listener.drop(n);
    case POST.chunk:
      return listener.chunk({ index: n, type: name, content: text, text: more === "1" });
    case POST.log:
      return listener.log(name as LogLine["level"], text, more);
    case POST.done:
      return listener.done(n, text);
    case POST.failed:
      return listener.failed(n === 1, text);
    default:
      return undefined;
  }
}

/** Turns one after the other, each in a turn of the event loop of its own, so that its microtasks end before the next. */
class Turns {
  readonly #listener: RunListener;
  #waiting: { readonly turn: () => void; readonly told: boolean }[] = [];
  #closed = false;
  open = 0;

  constructor(listener: RunListener) {
    this.#listener = listener;
  }

  /** `told`: it counts as an open one, and the listener hears of its end. */
  add(turn: () => void, told = true): void {
    if (this.#closed) return;
    if (told) this.open++;
    this.#waiting.push({ turn, told });
    if (this.#waiting.length === 1) setImmediate(() => this.#next());
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
  }

  #next(): void {
    this.#waiting[0]?.turn();
    setImmediate(() => {
      if (this.#closed) return;
      if (this.#waiting.shift()?.told === true) {
        this.open--;
        this.#listener.turn(0);
      }
      if (this.#waiting.length > 0) this.#next();
    });
  }
}

/**
 * Runs one script in this very process, where a debugger reaches it: the realm, the door and the turns are those of the
 * sandbox, but NOTHING keeps the script in. Only for scripts of the person who debugs them.
 */
export function createVmHost(options: VmHostOptions): RunHost {
  const { prelude, manifest, bundle, addressOf } = options;
  return {
    run(facts, { data, secrets }, listener): HostRun {
      const realm = createContext({}, { codeGeneration: { strings: true, wasm: false } });
      const boot = new Script(prelude, { filename: "weft:prelude" }).runInContext(realm) as Boot;
      const deliver = boot((...post) => report(listener, post), manifest);
      const code = new Script(withDebugInfo(bundle, addressOf), { filename: `weft:${bundle.hash}` });
      const needs = needsOf(bundle.code);
      if (facts.isolation === "frozen") deliver("harden", 0, needs, 0, "", "", "", null);
      const turns = new Turns(listener);
      turns.add(() =>
        deliver("start", RUN, needs, facts.now, JSON.stringify(facts), data, secrets, code.runInContext(realm)),
      );
      const handOver = ({ kind, pos, now, payload }: HostDelivery, told: boolean) =>
        turns.add(() => deliver(kind, RUN, pos, now, payload, "", "", null), told);
      return {
        deliver: (delivery) => handOver(delivery, true),
        feed(deliveries) {
          for (const [i, delivery] of deliveries.entries()) handOver(delivery, i + 1 === deliveries.length);
        },
        abort: (now, reason) => turns.add(() => deliver("abort", RUN, 0, now, reason, "", "", null)),
        close: () => turns.close(),
        openTurns: () => turns.open,
      };
    },
  };
}
