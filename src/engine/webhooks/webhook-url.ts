import { fail, type Runtime, toWorkflowError } from "../../../runtime/index.ts";

const MAX_URL = 2_048;

/** Throws INVALID_REQUEST naming `param` when messages can never be sent to the URL. */
export function checkWebhookUrl(param: string, url: string, { outbound }: Pick<Runtime, "outbound">): void {
  if (url.length > MAX_URL) {
    const message = `${param}: must be at most ${MAX_URL} characters, got ${url.length}`;
    throw fail("INVALID_REQUEST", { message, param });
  }
  try {
    outbound.check(url);
  } catch (cause) {
    const reason = toWorkflowError(cause).message.replace(/^http: /, "");
    throw fail("INVALID_REQUEST", { message: `${param}: ${reason}`, param }, cause);
  }
}
