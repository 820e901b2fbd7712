/** The workflow of the Motte documentation. */
export const SUPPORT = {
  name: "Customer Support Workflow",
  description: "Automated customer inquiry processing",
  version: "1.0",
  nodes: [
    {
      id: "classifier",
      type: "llm_agent",
      position: { x: 100, y: 100 },
      config: {
        model: "gpt-4",
        prompt: "Classify this customer inquiry: {{input}}",
        temperature: 0.1,
        max_tokens: 100,
      },
    },
    {
      id: "responder",
      type: "llm_agent",
      position: { x: 300, y: 100 },
      config: {
        model: "gpt-4",
        prompt: "Generate a helpful response for this {{classifier.category}} inquiry: {{input}}",
        temperature: 0.7,
        max_tokens: 200,
      },
    },
  ],
  edges: [{ id: "edge1", from: "classifier", to: "responder", condition: "classifier.category != 'spam'" }],
  settings: { timeout: 300, retry_attempts: 3, parallel_limit: 5 },
};

/** A draft with all five families of SolCognia nodes. */
export const MARKETING = {
  name: "Content Marketing Pipeline",
  category: "marketing",
  nodes: [
    {
      id: "input",
      type: "input",
      position: { x: 0, y: 0 },
      config: {
        fields: [
          { name: "product_description", type: "text", label: "Product", required: true },
          { name: "tone", type: "select", options: ["casual", "formal"], default: "casual" },
        ],
      },
    },
    {
      id: "draft",
      type: "ai_model",
      config: {
        model: "gpt-4",
        system_prompt: "You are a copywriter.",
        prompt: "Write a {{input.tone}} ad for {{input.product_description}}",
        temperature: 0.7,
        max_tokens: 500,
        response_format: "text",
      },
    },
    {
      id: "clean",
      type: "processing",
      config: {
        operation: "script",
        script: "({text: nodes.draft.response.trim(), words: nodes.draft.response.split(/\\s+/).length})",
      },
    },
    {
      id: "check",
      type: "conditional",
      config: { conditions: [{ expression: "clean.words > 20", handle: "long" }], default: "short" },
    },
    { id: "out", type: "output", config: { format: "json", template: { ad: "{{clean.text}}" } } },
  ],
  connections: [
    { from: "input", to: "draft" },
    { from: "draft", to: "clean" },
    { from: "clean", to: "check" },
    { from: "check", to: "out", condition: "long" },
  ],
  settings: { timeout: 300, retry_attempts: 0, parallel_limit: 5 },
};

/** The graph of the Powabase documentation. */
export const STARTER = {
  blocks: [
    { id: "start", type: "starter", config: {}, position: { x: 0, y: 0 } },
    { id: "out", type: "response", config: {}, position: { x: 300, y: 0 } },
  ],
  edges: [{ source: "start", target: "out" }],
};
