import { type StubAnswer, startModelStub } from "./model-stub.ts";

/** Every request is answered as the JSON text of the first argument says (see StubAnswer). */
const stub = await startModelStub();
stub.always(JSON.parse(process.argv[2] ?? "{}") as StubAnswer);
process.stdout.write(`${stub.url}\n`);
