import type { BuildCompilerFromPool } from "@fastify/ajv-compiler";

type Compile = ReturnType<BuildCompilerFromPool>;
type Validate = ReturnType<Compile>;

/** Compiles a schema when the first value is checked: most routes of a server are never called. */
function lazy(compile: () => Validate): Validate {
  let compiled: Validate | undefined;
  let broken: unknown;
  const compiledOnce = (): Validate => {
    // ajv checks a schema only the first time: one that it refused must not be tried again.
    if (broken !== undefined) throw broken;
    try {
      return compile();
    } catch (error) {
      broken = error;
      throw error;
    }
  };
  const validate = (data: unknown): boolean => {
    compiled ??= compiledOnce();
    const fits = compiled(data) === true;
    // Fastify reads the complaints from the function that it called.
    validate.errors = compiled.errors ?? null;
    return fits;
  };
  validate.errors = null as Validate["errors"];
  return validate as Validate;
}

/** The same validators, each made by the first request that needs it. */
export function createLazyValidators(build: BuildCompilerFromPool): BuildCompilerFromPool {
  return (externalSchemas, options) => {
    const compile = build(externalSchemas, options);
    return (route) => lazy(() => compile(route));
  };
}
