import { describe, expect, test } from "vitest";
import { hostOf, isAllowed, isSpecialName, parseTarget, shownUrl } from "../../runtime/egress/target.ts";

describe("targets", () => {
  test.each(["file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "data:text/plain,x", "javascript:1"])(
    "%s is denied",
    (url) => {
      expect(() => parseTarget(url)).toThrow(/only http and https/);
    },
  );

  test.each(["", "example.com", "/path", "http://", "http://[fe80::1%25eth0]/", "http://a b/", "http://999.1.1.1/"])(
    "%j is not a URL",
    (url) => {
      expect(() => parseTarget(url)).toThrow(/not a valid absolute URL/);
    },
  );

  test("user names, passwords and port 0 are denied", () => {
    expect(() => parseTarget("http://user@example.com/")).toThrow(/Authorization header/);
    expect(() => parseTarget("http://:secret@example.com/")).toThrow(/Authorization header/);
    expect(() => parseTarget("http://example.com:0/")).toThrow(/port 0/);
  });

  test.each([
    ["http://2130706433/", "127.0.0.1"],
    ["http://0x7f000001/", "127.0.0.1"],
    ["http://0177.0.0.1/", "127.0.0.1"],
    ["http://127.1/", "127.0.0.1"],
    ["http://0/", "0.0.0.0"],
    ["http://①②⑦.0.0.1/", "127.0.0.1"],
    ["http://[::FFFF:127.0.0.1]/", "::ffff:7f00:1"],
    ["http://EXAMPLE.com./", "example.com"],
  ])("%s means %s", (url, host) => {
    expect(hostOf(parseTarget(url))).toBe(host);
  });

  test("names of the local network are special, public ones are not", () => {
    for (const name of ["intranet", "db.internal", "printer.local", "x.home.arpa", "a.test", "x.onion"]) {
      expect(isSpecialName(name)).toBe(true);
    }
    for (const name of ["example.com", "internal.example.com", "::1"]) expect(isSpecialName(name)).toBe(false);
  });

  test("messages show a URL without its query, fragment and userinfo", () => {
    expect(shownUrl(new URL("https://u:p@example.com:8443/a/b?token=secret#x"))).toBe("https://example.com:8443/a/b");
  });
});

describe("allow-lists", () => {
  const allowed = (url: string, ...allow: string[]) => isAllowed(new URL(url), allow);

  test("an exact host covers itself on every port, in any case", () => {
    expect(allowed("https://api.example.com/x", "API.example.com")).toBe(true);
    expect(allowed("https://api.example.com:8443/x", "api.example.com")).toBe(true);
    expect(allowed("https://api.example.com./x", "api.example.com")).toBe(true);
    expect(allowed("https://evil-api.example.com/", "api.example.com")).toBe(false);
    expect(allowed("https://api.example.com.evil.net/", "api.example.com")).toBe(false);
  });

  test("a wildcard covers all names below it, but not itself", () => {
    expect(allowed("https://a.b.example.com/", "*.example.com")).toBe(true);
    expect(allowed("https://example.com/", "*.example.com")).toBe(false);
    expect(allowed("https://badexample.com/", "*.example.com")).toBe(false);
  });

  test("a port narrows a rule, the scheme's own port included", () => {
    expect(allowed("https://example.com/", "example.com:443")).toBe(true);
    expect(allowed("http://example.com/", "example.com:443")).toBe(false);
    expect(allowed("http://example.com:8080/", "example.com:8080")).toBe(true);
    expect(allowed("http://[::1]:8080/", "[::1]:8080")).toBe(true);
    expect(allowed("http://[::1]:8081/", "[::1]:8080")).toBe(false);
    expect(allowed("http://[::1]:8081/", "[::1]")).toBe(true);
  });

  test("what is no rule covers nothing", () => {
    for (const rule of ["", "*", "http://example.com", "example.com/x", "u@example.com", "*.", "example.com:99999"]) {
      expect(allowed("http://example.com/", rule)).toBe(false);
    }
    expect(allowed("http://example.com/")).toBe(false);
  });
});
