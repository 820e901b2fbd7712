import { defineTemplate } from "./template.ts";

/** Translates, lets a second call judge the translation, and mends it where it is not good enough. */
export const translationReview = defineTemplate({
  id: "tmpl_translation_review",
  name: "Translation with review",
  description: "Translates a text, has the translation reviewed, and improves it when the score is low.",
  category: "language",
  document: {
    nodes: [
      {
        id: "input",
        type: "input",
        config: {
          fields: [
            { name: "text", type: "text", label: "Text", required: true },
            { name: "language", type: "text", label: "Into", default: "German" },
          ],
        },
      },
      {
        id: "translate",
        type: "ai_model",
        config: { model: "gpt-4o-mini", prompt: "Translate into {{input.language}}, nothing else:\n{{input.text}}" },
      },
      {
        id: "review",
        type: "ai_model",
        config: {
          model: "gpt-4o-mini",
          system_prompt: 'Answer with JSON alone: {"score": 0 to 10, "problems": ["…"]}.',
          prompt: "Original:\n{{input.text}}\n\nTranslation:\n{{translate.response}}",
          temperature: 0,
          response_format: "json",
        },
      },
      {
        id: "judge",
        type: "conditional",
        config: { conditions: [{ expression: "review.score < 8", handle: "again" }], default: "good" },
      },
      {
        id: "improve",
        type: "ai_model",
        config: {
          model: "gpt-4o-mini",
          prompt:
            "Improve this {{input.language}} translation, nothing else.\nProblems: {{review.problems}}\n\nOriginal:\n{{input.text}}\n\nTranslation:\n{{translate.response}}",
        },
      },
      {
        id: "out",
        type: "output",
        config: {
          format: "json",
          template: {
            translation: "{{improve.response or translate.response}}",
            score: "{{review.score}}",
            improved: "{{improve != null}}",
          },
        },
      },
    ],
    connections: [
      { from: "input", to: "translate" },
      { from: "translate", to: "review" },
      { from: "review", to: "judge" },
      { from: "judge", to: "improve", condition: "again" },
      { from: "judge", to: "out", condition: "good" },
      { from: "improve", to: "out" },
    ],
    settings: { timeout: 180, retry_attempts: 2, parallel_limit: 5 },
  },
});
