/** A workflow as n8n exports it. */
export const N8N = {
  name: "Lead check",
  nodes: [
    {
      id: "1",
      name: "Webhook",
      type: "n8n-nodes-base.webhook",
      typeVersion: 2,
      position: [0, 0],
      parameters: { path: "x" },
    },
    {
      id: "2",
      name: "Look up",
      type: "n8n-nodes-base.httpRequest",
      typeVersion: 4.2,
      position: [200, 0],
      parameters: {
        url: "=https://api.example.com/{{ $json.company }}",
        sendQuery: true,
        queryParameters: { parameters: [{ name: "q", value: "={{ $json.company }}" }] },
      },
      onError: "continueRegularOutput",
    },
    {
      id: "3",
      name: "Big?",
      type: "n8n-nodes-base.if",
      typeVersion: 2.2,
      position: [400, 0],
      parameters: {
        conditions: {
          combinator: "and",
          conditions: [
            { leftValue: "={{ $json.data.size }}", rightValue: 100, operator: { type: "number", operation: "gt" } },
          ],
        },
      },
    },
    {
      id: "4",
      name: "Say so",
      type: "@n8n/n8n-nodes-langchain.chainLlm",
      typeVersion: 1.5,
      position: [600, 0],
      parameters: { promptType: "define", text: "=Praise {{ $('Look up').item.json.data.name }}" },
    },
    {
      id: "5",
      name: "Model",
      type: "@n8n/n8n-nodes-langchain.lmChatOpenAi",
      typeVersion: 1.2,
      position: [600, 200],
      parameters: { model: { __rl: true, mode: "list", value: "gpt-4o" } },
    },
    {
      id: "6",
      name: "Small",
      type: "n8n-nodes-base.set",
      typeVersion: 3.4,
      position: [600, 400],
      parameters: { assignments: { assignments: [{ id: "a", name: "note", value: "small", type: "string" }] } },
    },
    { id: "7", name: "Post", type: "n8n-nodes-base.slack", typeVersion: 2, position: [800, 0], parameters: {} },
  ],
  connections: {
    Webhook: { main: [[{ node: "Look up", type: "main", index: 0 }]] },
    "Look up": { main: [[{ node: "Big?", type: "main", index: 0 }]] },
    "Big?": { main: [[{ node: "Say so", type: "main", index: 0 }], [{ node: "Small", type: "main", index: 0 }]] },
    Model: { ai_languageModel: [[{ node: "Say so", type: "ai_languageModel", index: 0 }]] },
    "Say so": { main: [[{ node: "Post", type: "main", index: 0 }]] },
  },
  settings: {},
};

/** A workflow as Dify exports it. */
export const DIFY = `
app:
  description: Classifies and answers.
  mode: workflow
  name: Answerer
kind: app
version: 0.1.5
workflow:
  graph:
    nodes:
      - id: "1700"
        position: { x: 0, y: 0 }
        data:
          type: start
          title: Start
          variables:
            - { variable: question, label: Question, type: text-input, required: true }
      - id: "1701"
        position: { x: 200, y: 0 }
        data:
          type: llm
          title: Classify
          model: { name: gpt-4o-mini, completion_params: { temperature: 0.2 } }
          prompt_template:
            - { role: system, text: Answer with one word. }
            - { role: user, text: "Classify {{#1700.question#}}" }
      - id: "1702"
        position: { x: 400, y: 0 }
        data:
          type: if-else
          title: Billing
          cases:
            - case_id: "true"
              logical_operator: and
              conditions:
                - { variable_selector: ["1701", text], comparison_operator: contains, value: billing }
      - id: "1703"
        position: { x: 600, y: 0 }
        data:
          type: code
          title: Shout
          code_language: javascript
          code: "function main({ text }) { return { loud: text.toUpperCase() }; }"
          variables: [{ variable: text, value_selector: ["1701", text] }]
      - id: "1704"
        position: { x: 800, y: 0 }
        data:
          type: end
          title: End
          outputs: [{ variable: loud, value_selector: ["1703", loud] }]
      - id: "1705"
        position: { x: 600, y: 200 }
        data: { type: parameter-extractor, title: Extract }
    edges:
      - { source: "1700", target: "1701", sourceHandle: source }
      - { source: "1701", target: "1702", sourceHandle: source }
      - { source: "1702", target: "1703", sourceHandle: "true" }
      - { source: "1703", target: "1704", sourceHandle: source }
      - { source: "1702", target: "1705", sourceHandle: "false" }
`;

/** An agentflow as Flowise exports it. */
export const FLOWISE = {
  nodes: [
    { id: "startAgentflow_0", position: { x: 0, y: 0 }, data: { name: "startAgentflow", label: "Start", inputs: {} } },
    {
      id: "llmAgentflow_0",
      position: { x: 200, y: 0 },
      data: {
        name: "llmAgentflow",
        label: "Think",
        inputs: {
          llmModelConfig: { modelName: "gpt-4o" },
          llmMessages: [{ role: "system", content: "<p>Be brief.</p>" }],
          llmUserMessage: "<p>Say {{ question }}</p>",
        },
      },
    },
    {
      id: "conditionAgentflow_0",
      position: { x: 400, y: 0 },
      data: {
        name: "conditionAgentflow",
        label: "Check",
        inputs: {
          conditions: [{ type: "string", value1: "{{ llmAgentflow_0 }}", operation: "contains", value2: "yes" }],
        },
      },
    },
    {
      id: "directReplyAgentflow_0",
      position: { x: 600, y: 0 },
      data: {
        name: "directReplyAgentflow",
        label: "Yes",
        inputs: { directReplyMessage: "It said {{ llmAgentflow_0 }}" },
      },
    },
    {
      id: "directReplyAgentflow_1",
      position: { x: 600, y: 100 },
      data: { name: "directReplyAgentflow", label: "No", inputs: { directReplyMessage: "No." } },
    },
    { id: "toolAgentflow_0", position: { x: 800, y: 0 }, data: { name: "toolAgentflow", label: "Tool", inputs: {} } },
  ],
  edges: [
    { source: "startAgentflow_0", target: "llmAgentflow_0", sourceHandle: "startAgentflow_0-output-startAgentflow" },
    { source: "llmAgentflow_0", target: "conditionAgentflow_0", sourceHandle: "llmAgentflow_0-output-llmAgentflow" },
    { source: "conditionAgentflow_0", target: "directReplyAgentflow_0", sourceHandle: "conditionAgentflow_0-output-0" },
    { source: "conditionAgentflow_0", target: "directReplyAgentflow_1", sourceHandle: "conditionAgentflow_0-output-1" },
    { source: "directReplyAgentflow_0", target: "toolAgentflow_0", sourceHandle: "x-output-y" },
  ],
};
