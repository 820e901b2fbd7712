import type { Case } from "../case.ts";
import { budget } from "./budget.ts";
import { cpu } from "./cpu.ts";
import { datastoreGet } from "./datastore-get.ts";
import { datastoreIngest } from "./datastore-ingest.ts";
import { datastoreSearch } from "./datastore-search.ts";
import { fan } from "./fan.ts";
import { graph } from "./graph.ts";
import { growth } from "./growth.ts";
import { inOps } from "./in-ops.ts";
import { jobs } from "./jobs.ts";
import { journal } from "./journal.ts";
import { overload } from "./overload.ts";
import { resume } from "./resume.ts";
import { soak } from "./soak.ts";
import { start } from "./start.ts";
import { stream } from "./stream.ts";
import { streams } from "./streams.ts";
import { unseen } from "./unseen.ts";
import { waiting } from "./waiting.ts";
import { warm } from "./warm.ts";

/** Every case that is not a load case, in the order of the table. */
export const CASES: readonly Case[] = [
  fan,
  budget,
  unseen,
  stream,
  streams,
  cpu,
  journal,
  resume,
  jobs,
  inOps,
  waiting,
  warm,
  soak,
  overload,
  start,
  datastoreIngest,
  datastoreGet,
  datastoreSearch,
  graph,
  growth,
];
