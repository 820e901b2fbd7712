import { defineTemplate } from "./template.ts";

/** Turns free text into checked JSON. */
export const dataExtraction = defineTemplate({
  id: "tmpl_data_extraction",
  name: "Data extraction to JSON",
  description: "Takes the named fields out of a text as JSON, and says which are missing.",
  category: "data",
  document: {
    nodes: [
      {
        id: "input",
        type: "input",
        config: {
          fields: [
            { name: "text", type: "text", label: "Text", required: true },
            { name: "fields", type: "json", label: "Names of the fields", default: ["name", "email", "date"] },
          ],
        },
      },
      {
        id: "extract",
        type: "ai_model",
        config: {
          model: "gpt-4o-mini",
          system_prompt: "Answer with one JSON object alone. Use null for what the text does not say.",
          prompt: "Fields: {{input.fields}}\n\nText:\n{{input.text}}",
          temperature: 0,
          response_format: "json",
        },
      },
      {
        id: "check",
        type: "processing",
        config: {
          operation: "script",
          script:
            "const found = Object.fromEntries(input.fields.map((name) => [name, nodes.extract[name] ?? null]));\nconst missing = input.fields.filter((name) => found[name] === null);\nreturn { data: found, missing, complete: missing.length === 0 };",
        },
      },
      { id: "out", type: "output", config: { format: "json" } },
    ],
    connections: [
      { from: "input", to: "extract" },
      { from: "extract", to: "check" },
      { from: "check", to: "out" },
    ],
    settings: { timeout: 120, retry_attempts: 2, parallel_limit: 5 },
  },
});
