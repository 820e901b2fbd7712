import { accessories } from "./accessories.ts";
import { agents } from "./agents.ts";
import { approve } from "./approve.ts";
import type { Capability, Op } from "./capability.ts";
import { chat } from "./chat.ts";
import { crypto } from "./crypto.ts";
import { datastore } from "./datastore.ts";
import { files } from "./files.ts";
import { http } from "./http.ts";
import { sleep } from "./sleep.ts";
import { timer } from "./timer.ts";
import { waitFor } from "./wait-for.ts";
import { workflow } from "./workflow.ts";

/** Every power a guest has; to add one, write its file and name it here. */
export const CAPABILITIES: readonly Capability[] = [
  chat,
  http,
  workflow,
  agents,
  accessories,
  files,
  datastore,
  sleep,
  waitFor,
  approve,
  timer,
  crypto,
];

const ops = new Map<string, Op>(CAPABILITIES.flatMap((capability) => Object.entries(capability.ops)));

/** The op of that name, if a capability has one. */
export function findOp(name: string): Op | undefined {
  return ops.get(name);
}

/** Names of the ops that are members of ctx: the list sent to the guest. Globals made of ops call theirs by name. */
export const MANIFEST: readonly string[] = CAPABILITIES.filter(({ declaration }) => declaration !== "").flatMap(
  (capability) => Object.keys(capability.ops),
);
