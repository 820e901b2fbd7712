import { installBase64 } from "./base64.ts";
import { call } from "./call.ts";
import { installClone } from "./clone.ts";
import { installConsole } from "./console.ts";
import { type CtxData, createCtx, type MoreMembers, sharedObjects } from "./ctx.ts";
import { installDeterminism, installIntl, installTemporal } from "./determinism.ts";
import { describeThrown, errorClasses, installErrors, isFrozenComplaint, nodeFault, reasonOf } from "./errors.ts";
import { installEvents } from "./events.ts";
import {
  asNode,
  connect,
  createExecution,
  enter,
  type GuestExecution,
  type Post,
  peekOp,
  postHeld,
  quietClock,
  send,
  takeOp,
} from "./execution.ts";
import { freezeRealm, removeHazards } from "./harden.ts";
import { freezeLazy } from "./lazy.ts";
import { freeze, mapDelete, mapGet, mapSet, NativeMap, parse, rejected, stringify, text } from "./primordials.ts";
import { installText } from "./text.ts";
import { installTimers } from "./timers.ts";
import { type DeliveryKind, FED_ITEMS, type FedItem, NEEDS, POST, type StartFacts } from "./wire.ts";

/** What a bundle's function returns when called. */
interface Module {
  readonly execute: (ctx: object) => unknown;
  readonly describe: () => unknown;
  /** In bundles of scripts that use agents. */
  readonly members?: MoreMembers;
}
type Bundle = (weft: object) => Module;

/** What every bundle is called with. */
const WEFT = freeze({ op: call, errors: errorClasses, node: asNode, now: quietClock, fault: nodeFault });

const executions = new NativeMap<number, GuestExecution>();
let ops: readonly string[] = [];
let hardened = false;

function finish(execution: GuestExecution, kind: number, n: number, json: string): void {
  if (execution.closed) return;
  send(kind, n, "", json);
  execution.closed = true;
  mapDelete(executions, execution.run);
}

/** JSON text of an error record; a script that replaced `Object.prototype.toJSON` loses its message, not its end. */
function recordText(record: object): string {
  try {
    return text(stringify(record));
  } catch {
    return "{}";
  }
}

function failWith(execution: GuestExecution, thrown: unknown): void {
  const frozen = isFrozenComplaint(thrown);
  finish(execution, POST.failed, frozen ? 1 : 0, recordText(describeThrown(thrown)));
}

function outputFault(execution: GuestExecution, code: string, message: string): void {
  finish(execution, POST.failed, 0, recordText({ code, message, details: {} }));
}

function complete(execution: GuestExecution, value: unknown): void {
  if (value === undefined) {
    if (execution.wroteText) finish(execution, POST.done, execution.reads, "");
    else outputFault(execution, "NO_OUTPUT", "execute(ctx) returned nothing; return a value (null is allowed).");
    return;
  }
  let json: string | undefined;
  let why = `a ${typeof value}`;
  try {
    json = stringify(value);
  } catch (cause) {
    why = reasonOf(cause);
  }
  const { maxOutputBytes } = execution.limits;
  if (json === undefined) {
    outputFault(execution, "OUTPUT_NOT_SERIALIZABLE", `The returned value cannot be written as JSON: ${why}`);
  } else if (json.length > maxOutputBytes) {
    outputFault(execution, "LIMIT_EXCEEDED", `output: ${json.length} bytes, over ${maxOutputBytes} (maxOutputBytes)`);
  } else finish(execution, POST.done, execution.reads, json);
}

async function execute(execution: GuestExecution, bundle: Bundle, data: string, secrets: string): Promise<void> {
  try {
    const module = bundle(WEFT);
    const parts = { data: parse(data) as CtxData, secrets: parse(secrets) as object, ops, more: module.members };
    const ctx = createCtx(execution, parts);
    complete(execution, await module.execute(ctx));
  } catch (thrown) {
    failWith(execution, thrown);
  }
}

function describe(execution: GuestExecution, bundle: Bundle): void {
  const refuse = () => rejected(new errorClasses.WorkflowError("ctx calls cannot be made while a module is loaded."));
  complete(execution, bundle(freeze({ ...WEFT, op: refuse })).describe());
}

/** A realm has Temporal and Intl only when its bundle names them, and no way around the missing names. */
function settleNeeds(needs: number): void {
  const global = globalThis;
  if ((needs & NEEDS.Temporal) !== 0) installTemporal(global);
  else {
    Reflect.deleteProperty(global, "Temporal");
    Reflect.deleteProperty(Date.prototype, "toTemporalInstant");
  }
  if ((needs & NEEDS.Intl) !== 0) installIntl();
  else Reflect.deleteProperty(global, "Intl");
}

function harden(needs: number): void {
  hardened = true;
  settleNeeds(needs);
  freezeLazy();
  freezeRealm(globalThis, [WEFT, ...sharedObjects(ops)]);
}

interface StartMore {
  readonly needs: number;
  readonly data: string;
  readonly secrets: string;
  readonly bundle: Bundle;
}

function start(run: number, facts: StartFacts, more: StartMore): void {
  const execution = createExecution({
    run,
    limits: facts.limits,
    now: facts.now,
    deadlineAt: facts.deadlineAt,
    seed: facts.seed,
  });
  mapSet(executions, run, execution);
  enter(execution);
  if (!hardened) settleNeeds(more.needs);
  if (facts.mode === "describe") describe(execution, more.bundle);
  else execute(execution, more.bundle, more.data, more.secrets);
}

function settle(execution: GuestExecution, kind: DeliveryKind, pos: number, payload: string): void {
  if (pos >= execution.nextPos) {
    const message = `The recorded journal has a completion for call ${pos}, but the script has made only ${execution.nextPos} calls.`;
    outputFault(execution, "REPLAY_DIVERGED", message);
    return;
  }
  if (kind === "part") peekOp(execution, pos)?.part(payload);
  else takeOp(execution, pos)?.settle(kind, payload);
}

function abort(execution: GuestExecution, reason: string): void {
  execution.aborted = reason;
  execution.onAbort?.(reason);
}

/** The next recorded delivery. What it and those before it posted is held back until the last one's turn. */
function next(execution: GuestExecution, feed: readonly FedItem[]): void {
  const at = execution.fed;
  execution.fed = at + FED_ITEMS;
  if (execution.fed >= feed.length) {
    postHeld(execution);
    execution.feed = null;
  }
  const now = feed[at + 2] as number;
  if (now > execution.now) execution.now = now;
  settle(execution, feed[at] as DeliveryKind, feed[at + 1] as number, feed[at + 3] as string);
}

function turn(execution: GuestExecution, kind: string, n: number, payload: string): void {
  if (kind === "next") {
    if (execution.feed !== null) next(execution, execution.feed);
  } else if (kind === "feed") {
    execution.feed = parse(payload) as readonly FedItem[];
    execution.fed = 0;
  } else if (kind === "close") {
    execution.closed = true;
    mapDelete(executions, execution.run);
  } else if (kind === "abort") abort(execution, payload);
  else settle(execution, kind as DeliveryKind, n, payload);
}

/** The one function the host calls: each call is one turn. `data`, `secrets` and `bundle` come with `start` only. */
function deliver(
  kind: string,
  run: number,
  n: number,
  now: number,
  payload: string,
  data: string,
  secrets: string,
  bundle: Bundle | null,
): void {
  let execution: GuestExecution | undefined;
  try {
    if (kind === "harden") {
      harden(n);
      return;
    }
    if (kind === "start" && bundle !== null) {
      start(run, parse(payload) as StartFacts, { needs: n, data, secrets, bundle });
      return;
    }
    execution = mapGet(executions, run) as GuestExecution | undefined;
    if (execution === undefined) return;
    enter(execution);
    if (now > execution.now) execution.now = now;
    turn(execution, kind, n, payload);
  } catch (thrown) {
    execution ??= mapGet(executions, run) as GuestExecution | undefined;
    if (execution !== undefined) failWith(execution, thrown);
  }
}

/** Boots the realm: installs the deterministic globals, removes hazards, and returns `deliver`. */
function boot(post: Post, manifest: string): typeof deliver {
  const global = globalThis;
  connect(post);
  ops = parse(manifest) as readonly string[];
  removeHazards(global);
  installDeterminism(global);
  installTimers(global);
  installText(global);
  installEvents(global);
  installBase64(global);
  installClone(global);
  installConsole(global);
  installErrors(global);
  return deliver;
}

// The host takes the function from here and removes the property before any guest code is loaded.
Object.defineProperty(globalThis, "weftBoot", { value: boot, configurable: true });
