import type { Delivery, Store } from "../../store/store.ts";
import { ownWebhookSecret, PLACES } from "../sealing/places.ts";
import type { Sealer } from "../sealing/sealer.ts";
import { newSigningSecret } from "./signing-secret.ts";

/** The secrets that sign what an account sends. */
export interface Keyring {
  /** Secrets that sign a delivery: its endpoint's, and for a while the one before; the account's own for calls that named none. Throws CONFLICT when they cannot be read. */
  secretsOf(delivery: Delivery): Promise<readonly string[]>;
  /** Gives the account a new secret of its own and returns it. */
  renew(accountId: string): Promise<string>;
}

/** Makes the keyring over a store that only ever sees sealed secrets. */
export function createKeyring(
  store: Pick<Store, "findEndpoint" | "readSetting" | "writeSetting">,
  sealer: Sealer,
  now: () => number,
): Keyring {
  const renew = async (accountId: string): Promise<string> => {
    const secret = newSigningSecret();
    await store.writeSetting({
      name: ownWebhookSecret(accountId),
      value: sealer.seal(secret, PLACES.account(accountId)),
    });
    return secret;
  };
  return {
    renew,
    async secretsOf({ accountId, endpointId }) {
      const endpoint = endpointId === null ? null : await store.findEndpoint({ accountId, endpointId });
      if (endpoint !== null) {
        const { secret, former } = endpoint;
        const isValid = former !== null && former.until > now();
        return [secret, ...(isValid ? [former.secret] : [])].map((sealed) =>
          sealer.open(sealed, PLACES.endpoint(endpoint.id)),
        );
      }
      const own = await store.readSetting({ name: ownWebhookSecret(accountId) });
      return [own === null ? await renew(accountId) : sealer.open(own, PLACES.account(accountId))];
    },
  };
}
