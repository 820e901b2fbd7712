import { defineTemplate } from "./template.ts";

/** Drafts a text and lets a person decide before it is used. */
export const approvalFlow = defineTemplate({
  id: "tmpl_approval_flow",
  name: "Approval flow",
  description: "Drafts an announcement, waits for a person's decision (by a one-time link), and says what came of it.",
  category: "operations",
  document: {
    nodes: [
      {
        id: "input",
        type: "input",
        config: { fields: [{ name: "topic", type: "text", label: "Topic", required: true }] },
      },
      {
        id: "draft",
        type: "ai_model",
        config: { model: "gpt-4o-mini", prompt: "Write a short announcement about {{input.topic}}." },
      },
      {
        id: "ask",
        type: "approval",
        config: { title: "Publish: {{input.topic}}", description: "{{draft.response}}", expires: "3d" },
      },
      {
        id: "publish",
        type: "processing",
        config: { operation: "template", template: { published: true, text: "{{draft.response}}" } },
      },
      {
        id: "drop",
        type: "processing",
        config: { operation: "template", template: { published: false, decision: "{{ask}}" } },
      },
      { id: "out", type: "output", config: { format: "json" } },
    ],
    connections: [
      { from: "input", to: "draft" },
      { from: "draft", to: "ask" },
      { from: "ask", to: "publish", condition: "approved" },
      { from: "ask", to: "drop", condition: "rejected" },
      { from: "publish", to: "out" },
      { from: "drop", to: "out" },
    ],
    settings: { timeout: 345600, retry_attempts: 2, parallel_limit: 5 },
  },
});
