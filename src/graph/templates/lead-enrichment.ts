import { defineTemplate } from "./template.ts";

/** Adds what a web service knows to a lead, and scores it. */
export const leadEnrichment = defineTemplate({
  id: "tmpl_lead_enrichment",
  name: "Lead enrichment",
  description:
    "Asks a web service about a company, and scores the lead with what it says; goes on without it when it fails.",
  category: "sales",
  document: {
    nodes: [
      {
        id: "input",
        type: "input",
        config: {
          fields: [
            { name: "company", type: "text", label: "Company", required: true },
            {
              name: "service_url",
              type: "text",
              label: "Address of the service",
              default: "https://api.example.com/companies",
            },
          ],
        },
      },
      {
        id: "lookup",
        type: "http_request",
        config: { method: "GET", url: "{{input.service_url}}", params: { name: "{{input.company}}" }, timeout: 10 },
      },
      {
        id: "unknown",
        type: "processing",
        config: { operation: "template", template: { data: { note: "nothing is known: {{lookup.error.message}}" } } },
      },
      {
        id: "score",
        type: "ai_model",
        config: {
          model: "gpt-4o-mini",
          system_prompt: 'Answer with JSON alone: {"score": 0 to 100, "reason": "…"}.',
          prompt: "Company: {{input.company}}\nKnown: {{lookup.data or unknown.data}}",
          temperature: 0,
          response_format: "json",
        },
      },
      {
        id: "out",
        type: "output",
        config: {
          format: "json",
          template: {
            company: "{{input.company}}",
            score: "{{score.score}}",
            reason: "{{score.reason}}",
            enriched: "{{unknown == null}}",
          },
        },
      },
    ],
    connections: [
      { from: "input", to: "lookup" },
      { from: "lookup", to: "score" },
      { from: "lookup", to: "unknown", condition: "error" },
      { from: "unknown", to: "score" },
      { from: "score", to: "out" },
    ],
    settings: { timeout: 120, retry_attempts: 1, parallel_limit: 5 },
  },
});
