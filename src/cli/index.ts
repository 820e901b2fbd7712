import { accounts } from "./accounts.ts";
import { agents } from "./agents.ts";
import { approvals } from "./approvals.ts";
import { approve } from "./approve.ts";
import { audit } from "./audit.ts";
import { backup } from "./backup.ts";
import { budget } from "./budget.ts";
import { cancel } from "./cancel.ts";
import type { Command } from "./command.ts";
import { datastores } from "./datastores.ts";
import { deleteRun } from "./delete-run.ts";
import { deploy } from "./deploy.ts";
import { dev } from "./dev.ts";
import { doctor } from "./doctor.ts";
import { events } from "./events.ts";
import { files } from "./files.ts";
import { fork } from "./fork.ts";
import { graph } from "./graph.ts";
import { importFile } from "./import.ts";
import { keys } from "./keys.ts";
import { list } from "./list.ts";
import { logs } from "./logs.ts";
import { pull } from "./pull.ts";
import { replay } from "./replay.ts";
import { restore } from "./restore.ts";
import { resume } from "./resume.ts";
import { rollback } from "./rollback.ts";
import { run } from "./run.ts";
import { runs } from "./runs.ts";
import { schedules } from "./schedules.ts";
import { secrets } from "./secrets.ts";
import { show } from "./show.ts";
import { start } from "./start.ts";
import { tail } from "./tail.ts";
import { templates } from "./templates.ts";
import { test } from "./test.ts";
import { trace } from "./trace.ts";
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
  runs,
  show,
  trace,
  tail,
  logs,
  cancel,
  deleteRun,
  list,
  versions,
  rollback,
  graph,
  templates,
  importFile,
  datastores,
  schedules,
  files,
  budget,
  agents,
  events,
  approvals,
  approve,
  pull,
  replay,
  fork,
  resume,
  keys,
  secrets,
  accounts,
  audit,
  backup,
  restore,
  doctor,
  test,
  types,
];
