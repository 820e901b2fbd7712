import type { URL as NodeURL, URLSearchParams as NodeURLSearchParams } from "node:url";

declare function require(id: string): unknown;

/** WHATWG URL in plain JavaScript. */
export const URL = require("core-js-pure/actual/url/index.js") as typeof NodeURL;
/** The URLSearchParams that belongs to {@link URL}. */
export const URLSearchParams = require("core-js-pure/actual/url-search-params/index.js") as typeof NodeURLSearchParams;
