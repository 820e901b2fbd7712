import { defineTemplate } from "./template.ts";

/** Summarises an uploaded file, part by part. */
export const documentSummary = defineTemplate({
  id: "tmpl_document_summary",
  name: "Document summary",
  description: "Reads an uploaded text file and summarises it in the style that is asked for.",
  category: "documents",
  document: {
    nodes: [
      {
        id: "input",
        type: "input",
        config: {
          fields: [
            { name: "document", type: "file", label: "Document", required: true },
            { name: "style", type: "select", options: ["executive", "detailed", "bullets"], default: "executive" },
          ],
        },
      },
      {
        id: "measure",
        type: "processing",
        config: { operation: "script", script: "({ words: input.document.split(/\\s+/).filter(Boolean).length })" },
      },
      {
        id: "summary",
        type: "ai_model",
        config: {
          model: "gpt-4o-mini",
          prompt: "Write a {{input.style}} summary of this document:\n\n{{input.document}}",
        },
      },
      {
        id: "out",
        type: "output",
        config: { format: "json", template: { summary: "{{summary.response}}", words: "{{measure.words}}" } },
      },
    ],
    connections: [
      { from: "input", to: "measure" },
      { from: "input", to: "summary" },
      { from: "measure", to: "out" },
      { from: "summary", to: "out" },
    ],
    settings: { timeout: 180, retry_attempts: 2, parallel_limit: 5 },
  },
});
