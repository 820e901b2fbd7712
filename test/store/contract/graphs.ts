import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { executionParams, T0, type World, workflowParams } from "../fixtures.ts";
import type { Subject } from "../contract.ts";
