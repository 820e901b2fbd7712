import { toWorkflowError } from "../../../runtime/index.ts";
import type { DatastoreService } from "../datastores/datastore-service.ts";

/** Makes the function that makes a datastore unless the account has one of that name. */
export function ensureDatastore(
  datastores: Pick<DatastoreService, "create">,
): (accountId: string, name: string) => Promise<void> {
  return async (accountId, name) => {
    try {
      await datastores.create({ accountId, name, definition: {} });
    } catch (error) {
      if (toWorkflowError(error).code !== "CONFLICT") throw error;
    }
  };
}
