import { WorkflowError } from "../../runtime/index.ts";

/** The WorkflowError that `work` throws. */
export function thrownBy(work: () => unknown): WorkflowError {
  try {
    work();
  } catch (error) {
    if (error instanceof WorkflowError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** The WorkflowError that `work` rejects with. */
export async function rejectionOf(work: Promise<unknown>): Promise<WorkflowError> {
  const error = await work.then(
    () => new Error("nothing was thrown"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof WorkflowError) return error;
  throw error;
}
