import type { App, Request } from "./dialects/dialect.ts";
import { type RouteRules, rulesOf } from "./scopes.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Set for every route by what {@link rulesOf} says. */
    rules?: RouteRules;
  }
}

/** Looks the rules of every route up once, when it is added. */
export function installRules(app: App): void {
  app.addHook("onRoute", (route) => {
    const method = [route.method].flat()[0] ?? "GET";
    route.config = { ...route.config, rules: rulesOf(method, route.url) };
  });
}

/** The rules of the route of a request. */
export function rulesOfRequest({ method, routeOptions }: Request): RouteRules {
  return routeOptions.config?.rules ?? rulesOf(method, routeOptions.url ?? "");
}
