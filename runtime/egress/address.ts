import { BlockList, isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { fail } from "../errors.ts";

const { IPv6, parse } = ipaddr;
type IPv6 = ipaddr.IPv6;

/** Ranges as the library names them, in words; others are named as they are. */
const WORDS: Readonly<Record<string, string>> = {
  unspecified: "this network",
  loopback: "loopback",
  private: "private",
  uniqueLocal: "private",
  linkLocal: "link-local",
  multicast: "multicast",
  broadcast: "broadcast",
  carrierGradeNat: "shared by a carrier",
  teredo: "a Teredo tunnel",
  "6to4": "a 6to4 tunnel",
};

/** Services of a cloud's hosts at addresses that look public: no registry has them. */
const CLOUD_SERVICES: ReadonlySet<string> = new Set(["168.63.129.16"]);

/** All that was ever given out for public use is in here; the library calls the rest unicast, too. */
const GLOBAL_V6 = IPv6.parseCIDR("2000::/3");
/** IPv6 ranges whose last 32 bits are an IPv4 address that the packet ends up at. */
const WRAPPING_V6 = [
  "::ffff:0:0/96", // mapped
  "::ffff:0:0:0/96", // translated
  "::/96", // compatible
  "64:ff9b::/96", // NAT64
].map((range) => IPv6.parseCIDR(range));
/** The interface id of an address that tunnels to the IPv4 address in it (ISATAP), the bit for unique ones aside. */
const ISATAP = 0x5efe;

/** Decides which IP addresses scripts may be connected to. */
export interface AddressPolicy {
  /** What is wrong with the address (for example "loopback"), or null when it may be reached. */
  refusal(address: string): string | null;
  /** True when the operator opened at least one private range. */
  readonly opensPrivate: boolean;
}

function addRange(list: BlockList, range: string): void {
  const [network = "", bitsText] = range.trim().split("/");
  const family = isIP(network);
  const most = family === 4 ? 32 : 128;
  const bits = bitsText === undefined ? most : Number(bitsText);
  const numeric = bitsText === undefined || /^\d{1,3}$/.test(bitsText);
  if (family === 0 || !numeric || bits > most) {
    throw fail("INVALID_ARGUMENT", {
      message: `WEFT_HTTP_ALLOW_PRIVATE: "${range}" is not an IP range such as 10.0.0.0/8 or fd00::/8`,
    });
  }
  list.addSubnet(network, bits, family === 4 ? "ipv4" : "ipv6");
}

const wordOf = (range: string): string | null => (range === "unicast" ? null : (WORDS[range] ?? `reserved (${range})`));

function refusalV4(address: string): string | null {
  return CLOUD_SERVICES.has(address) ? "a cloud service address" : wordOf(parse(address).range());
}

const isIsatap = ({ parts }: IPv6) => ((parts[4] ?? 0) & ~0x200) === 0 && parts[5] === ISATAP;

function refusalV6(address: string, ofV4: (address: string) => string | null): string | null {
  const parsed = IPv6.parse(address);
  const range = parsed.range();
  if (range === "loopback" || range === "unspecified") return wordOf(range);
  if (WRAPPING_V6.some((wrapping) => parsed.match(wrapping))) {
    return ofV4(parsed.toByteArray().slice(12).join("."));
  }
  if (range !== "unicast") return wordOf(range);
  if (isIsatap(parsed)) return "an ISATAP tunnel";
  return parsed.match(GLOBAL_V6) ? null : "not a public address";
}

/** A policy that refuses every special-purpose address except those in `allowPrivate` (CIDR ranges); throws INVALID_ARGUMENT for a bad range. */
export function createAddressPolicy(allowPrivate: readonly string[]): AddressPolicy {
  const opened = new BlockList();
  for (const range of allowPrivate) addRange(opened, range);
  const ofV4 = (address: string) => (opened.check(address, "ipv4") ? null : refusalV4(address));
  return {
    opensPrivate: allowPrivate.length > 0,
    refusal(address) {
      // A zone id names an interface of this machine: never public.
      const family = address.includes("%") ? 0 : isIP(address);
      if (family === 0) return "not a public address";
      if (family === 4) return ofV4(address);
      return opened.check(address, "ipv6") ? null : refusalV6(address, ofV4);
    },
  };
}
