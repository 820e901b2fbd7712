type Library = typeof import("./streams-library.ts");
declare function require(id: "./streams-library.ts"): Library;

/** The streams library, evaluated when first asked for. */
export const streams = (): Library => require("./streams-library.ts");
