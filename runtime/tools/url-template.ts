import { fail } from "../errors.ts";
import { type Filler, hasArguments, UnfitArgument } from "./template.ts";

/** Where a URL's path begins: after its origin, or after one stored value that it begins with (`{{env.BASE_URL}}/orders`). */
const PARTS = /^(\{\{\s*(?:env|secrets)\.[^{}\s]+\s*\}\}(?=[/?#]|$)|https?:\/\/[^/?#\\]*)(.*)$/is;
const DOTS = /^(?:\.|%2e){1,2}$/i;

/** Throws INVALID_ARGUMENT, naming `field`, for a URL template that the model could send elsewhere. */
export function checkUrlTemplate(template: string, field: string): void {
  const [, origin] = PARTS.exec(template) ?? [];
  const why =
    origin === undefined
      ? "must begin with http://, https:// or {{env.NAME}}/"
      : hasArguments(origin)
        ? "must not leave the host to the model: put arguments into the path or the query"
        : null;
  if (why !== null) throw fail("INVALID_ARGUMENT", { message: `agents: ${field} ${why}`, field });
}

/** The path and what follows; arguments are percent-encoded and cannot leave their place. */
function fillRest(rest: string, filler: Filler): string {
  const segments = rest.split("/").map((segment) => {
    const filled = filler.text(segment, encodeURIComponent);
    if (filled === null) throw new UnfitArgument(`the argument ${segment.slice(0, 200)} in the URL is needed`);
    if (segment !== filled && DOTS.test(filled.split(/[?#]/, 1)[0] ?? "")) {
      throw new UnfitArgument('an argument that is a part of a path cannot be "." or ".."');
    }
    return filled;
  });
  return segments.join("/");
}

/** A URL from its template and its query; query parameters whose argument was not given are left out. Throws {@link UnfitArgument}, INVALID_ARGUMENT. */
export function fillUrl(template: string, query: Readonly<Record<string, string>>, filler: Filler): string {
  checkUrlTemplate(template, "url");
  const [, origin = "", rest = ""] = PARTS.exec(template) ?? [];
  const text = `${filler.text(origin) ?? ""}${fillRest(rest, filler)}`;
  const url = URL.parse(text);
  if (url === null) {
    throw fail("INVALID_ARGUMENT", { message: "agents: the tool's url is not a valid absolute URL", field: "url" });
  }
  for (const [name, each] of Object.entries(query)) {
    const value = filler.text(each);
    if (value !== null) url.searchParams.append(name, value);
  }
  return url.href;
}
