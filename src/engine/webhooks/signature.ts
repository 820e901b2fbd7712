import { Webhook } from "standardwebhooks";

/** The headers of a message as Standard Webhooks has them; signed with every secret that is valid now, so that rotating one loses nothing. */
export function signatureHeaders(
  message: { readonly id: string; readonly payload: string },
  secrets: readonly string[],
  at: number,
): Record<string, string> {
  const { id, payload } = message;
  const time = new Date(at);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at / 1_000)),
    "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, time, payload)).join(" "),
  };
}
