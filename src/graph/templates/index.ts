import { approvalFlow } from "./approval-flow.ts";
import { dataExtraction } from "./data-extraction.ts";
import { documentSummary } from "./document-summary.ts";
import { leadEnrichment } from "./lead-enrichment.ts";
import { ragAnswer } from "./rag-answer.ts";
import { scheduledDigest } from "./scheduled-digest.ts";
import { supportTriage } from "./support-triage.ts";
import type { Template } from "./template.ts";
import { translationReview } from "./translation-review.ts";

export type { Template };

const TEMPLATES: readonly Template[] = [
  supportTriage,
  ragAnswer,
  documentSummary,
  dataExtraction,
  translationReview,
  leadEnrichment,
  scheduledDigest,
  approvalFlow,
];

/** The gallery. */
export const listTemplates = (): readonly Template[] => TEMPLATES;

/** A template by its id; null for an unknown one. */
export const findTemplate = (id: string): Template | null => TEMPLATES.find((one) => one.id === id) ?? null;
