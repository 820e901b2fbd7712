/** What a script learns about the machine it runs on. */
export const navigator: {
  readonly userAgent: string;
  readonly language: string;
  readonly hardwareConcurrency: number;
} = /* @__PURE__ */ Object.freeze({ userAgent: "Weft", language: "en-US", hardwareConcurrency: 1 });
