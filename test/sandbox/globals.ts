/** Standard ECMAScript globals that neither leak time, randomness nor memory outside the limit. */
const LANGUAGE =
  "Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Promise RegExp Error AggregateError EvalError RangeError ReferenceError SuppressedError SyntaxError TypeError URIError globalThis JSON Math Intl Reflect Proxy Map Set WeakMap WeakSet BigInt Iterator DisposableStack AsyncDisposableStack decodeURI decodeURIComponent encodeURI encodeURIComponent eval isFinite isNaN ArrayBuffer DataView Float16Array Float32Array Float64Array Int8Array Int16Array Int32Array Uint8Array Uint8ClampedArray Uint16Array Uint32Array BigInt64Array BigUint64Array";

/** Replaced by the prelude with deterministic versions. */
const SHIMMED = "Date Temporal crypto performance";

/** Made by the prelude. */
const PRELUDE =
  "console setTimeout clearTimeout setInterval clearInterval queueMicrotask structuredClone TextEncoder TextDecoder atob btoa AbortController AbortSignal Event EventTarget CustomEvent DOMException WorkflowError ChatError HttpError NestedWorkflowError LimitError";

/** Every name a guest's global object may have; a new V8 that adds one fails the walk until it is looked at. */
export const CLASSIFIED_GLOBALS: ReadonlySet<string> = new Set(`${LANGUAGE} ${SHIMMED} ${PRELUDE}`.split(" "));
