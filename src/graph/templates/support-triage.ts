import { defineTemplate } from "./template.ts";

/** Sorts a message of a customer and drafts the answer that fits. */
export const supportTriage = defineTemplate({
  id: "tmpl_support_triage",
  name: "Support triage",
  description: "Classifies a customer's message, drafts an answer, and hands urgent ones to a person.",
  category: "support",
  document: {
    nodes: [
      {
        id: "input",
        type: "input",
        config: { fields: [{ name: "message", type: "text", label: "Message", required: true }] },
      },
      {
        id: "classify",
        type: "ai_model",
        config: {
          model: "gpt-4o-mini",
          system_prompt:
            'Answer with JSON alone: {"category": "billing" | "technical" | "account" | "other", "urgency": "low" | "high"}.',
          prompt: "Classify this message:\n{{input.message}}",
          temperature: 0,
          response_format: "json",
        },
      },
      {
        id: "route",
        type: "conditional",
        config: { conditions: [{ expression: "classify.urgency == 'high'", handle: "urgent" }], default: "normal" },
      },
      {
        id: "answer",
        type: "ai_model",
        config: {
          model: "gpt-4o-mini",
          prompt: "Write a helpful, short answer to this {{classify.category}} inquiry:\n{{input.message}}",
        },
      },
      {
        id: "escalate",
        type: "processing",
        config: {
          operation: "template",
          template: { queue: "urgent", category: "{{classify.category}}", message: "{{input.message}}" },
        },
      },
      {
        id: "out",
        type: "output",
        config: {
          format: "json",
          template: { triage: "{{classify}}", answer: "{{answer.response}}", escalation: "{{escalate}}" },
        },
      },
    ],
    connections: [
      { from: "input", to: "classify" },
      { from: "classify", to: "route" },
      { from: "route", to: "answer", condition: "normal" },
      { from: "route", to: "escalate", condition: "urgent" },
      { from: "answer", to: "out" },
      { from: "escalate", to: "out" },
    ],
    settings: { timeout: 120, retry_attempts: 2, parallel_limit: 5 },
  },
});
