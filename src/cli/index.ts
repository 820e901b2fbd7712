import { approvals } from "./approvals.ts";
import { approve } from "./approve.ts";
import type { Command } from "./command.ts";
import { deploy } from "./deploy.ts";
import { dev } from "./dev.ts";
import { events } from "./events.ts";
import { fork } from "./fork.ts";
import { list } from "./list.ts";
import { logs } from "./logs.ts";
import { pull } from "./pull.ts";
import { replay } from "./replay.ts";
import { resume } from "./resume.ts";
import { rollback } from "./rollback.ts";
import { run } from "./run.ts";
import { schedules } from "./schedules.ts";
import { start } from "./start.ts";
import { test } from "./test.ts";
import { types } from "./types.ts";
import { validate } from "./validate.ts";
import { versions } from "./versions.ts";

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  start,
  deploy,
  run,
  dev,
  validate,
  logs,
  list,
  versions,
  rollback,
  schedules,
  events,
  approvals,
  approve,
  pull,
  replay,
  fork,
  resume,
  test,
  types,
];
