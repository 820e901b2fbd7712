import { defineTemplate } from "./template.ts";

/** Answers from the records of a datastore, with their ids. */
export const ragAnswer = defineTemplate({
  id: "tmpl_rag_answer",
  name: "Answer from a datastore",
  description: "Looks for records of a datastore that fit a question and answers from them alone, naming its sources.",
  category: "knowledge",
  document: {
    nodes: [
      {
        id: "input",
        type: "input",
        config: { fields: [{ name: "question", type: "text", label: "Question", required: true }] },
      },
      { id: "find", type: "memory_query", config: { datastore: "memory", query: "{{input.question}}", limit: 5 } },
      {
        id: "answer",
        type: "ai_model",
        config: {
          model: "gpt-4o-mini",
          system_prompt: "Answer from the records alone. If they do not say, answer that you do not know.",
          prompt: "Records:\n{{find}}\n\nQuestion: {{input.question}}",
          temperature: 0,
        },
      },
      {
        id: "sources",
        type: "processing",
        config: { operation: "script", script: "nodes.find.map(({ memory_id }) => memory_id)" },
      },
      {
        id: "out",
        type: "output",
        config: { format: "json", template: { answer: "{{answer.response}}", sources: "{{sources}}" } },
      },
    ],
    connections: [
      { from: "input", to: "find" },
      { from: "find", to: "answer" },
      { from: "find", to: "sources" },
      { from: "answer", to: "out" },
      { from: "sources", to: "out" },
    ],
    settings: { timeout: 120, retry_attempts: 2, parallel_limit: 5 },
  },
});
