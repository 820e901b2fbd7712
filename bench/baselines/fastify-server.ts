import fastify from "fastify";

interface EchoBody {
  readonly input: unknown;
}

/** Serves POST / with fastify on a free port: `run` gets the body's `input`, its result becomes `output`. */
export async function serve(run: (input: unknown) => unknown): Promise<void> {
  const app = fastify();
  app.post<{ Body: EchoBody }>("/", async (request) => ({ output: await run(request.body.input) }));
  process.stdout.write(`${await app.listen({ host: "127.0.0.1", port: 0 })}\n`);
}
