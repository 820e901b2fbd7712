import { lookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { fail, type WorkflowError } from "../errors.ts";
import type { AddressPolicy } from "./address.ts";
import type { ConnectGuard } from "./dispatcher.ts";
import { hostOf, isAllowed, isLoopbackName, isSpecialName, shownUrl, withoutTrailingDots } from "./target.ts";

/** One address a host name stands for. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Finds every address of a host name; rejects when there is none. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

/** The operating system's resolver, all addresses. */
export const resolveBySystem: Resolve = (host) => lookup(host, { all: true });

const LOOPBACK: readonly ResolvedAddress[] = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 },
];

/** Checks each request by name and each connection by address. */
export interface EgressGuard extends ConnectGuard {
  /** Throws CAPABILITY_DENIED when the workflow may not reach the URL's host by name. */
  checkName(url: URL, allow: readonly string[] | null): void;
}

const denied = (what: string, reason: string): WorkflowError =>
  fail("CAPABILITY_DENIED", {
    message: `http: ${what} (${reason}); scripts may reach public addresses only, and the ranges the server opens with WEFT_HTTP_ALLOW_PRIVATE`,
    reason,
  });

/** Throws CAPABILITY_DENIED for a host that the operator did not list; an empty list is none. */
function checkHosts(url: URL, allowHosts: readonly string[]): void {
  if (allowHosts.length === 0 || isAllowed(url, allowHosts)) return;
  const message = `http: the host "${url.host}" is not among those that this server may reach (WEFT_HTTP_ALLOW_HOSTS)`;
  throw fail("CAPABILITY_DENIED", { message, url: shownUrl(url), setting: "WEFT_HTTP_ALLOW_HOSTS" });
}

/** A guard over a policy and a resolver; `allowHosts` bounds all that use it (`host`, `*.host`, either with `:port`; empty = any). */
export function createGuard(policy: AddressPolicy, resolve: Resolve, allowHosts: readonly string[] = []): EgressGuard {
  /** The addresses to connect to: all of them were checked, and no other is looked up for this connection. */
  const checkedAddresses = async (host: string): Promise<readonly ResolvedAddress[]> => {
    const name = withoutTrailingDots(host.toLowerCase());
    if (isLoopbackName(name)) {
      const opened = LOOPBACK.filter(({ address }) => policy.refusal(address) === null);
      if (opened.length === 0) throw denied(`the host "${name}" must not be reached`, "loopback");
      return opened;
    }
    const found = await resolve(host);
    for (const { address } of found) {
      const reason = policy.refusal(address);
      // The address itself stays out of the message: a script could map the network with it.
      if (reason !== null) throw denied(`the host "${name}" leads to an address that must not be reached`, reason);
    }
    if (found.length === 0) throw Object.assign(new Error("no address"), { code: "ENOTFOUND" });
    return found;
  };
  const guardedLookup: LookupFunction = (host, options, callback) => {
    checkedAddresses(host).then(
      (found) => {
        const first = found[0] as ResolvedAddress;
        if (options.all === true) callback(null, [...found]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };
  return {
    lookup: guardedLookup,
    refusal(address) {
      const reason = policy.refusal(address);
      return reason === null ? null : denied(`the address ${address} must not be reached`, reason);
    },
    checkName(url, allow) {
      const host = hostOf(url);
      checkHosts(url, allowHosts);
      if (allow !== null && !isAllowed(url, allow)) {
        const message = `http: the host "${url.host}" is not in the workflow's config.http.allow (${allow.join(", ") || "empty"})`;
        throw fail("CAPABILITY_DENIED", { message, url: shownUrl(url) });
      }
      if (isIP(host) !== 0) return;
      // Once the operator opened private ranges, internal names are decided by their addresses like all others.
      if (!isLoopbackName(host) && isSpecialName(host) && !policy.opensPrivate) {
        throw denied(`the host "${host}" must not be reached`, "a name of the local network");
      }
    },
  };
}
