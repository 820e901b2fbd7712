import { BlockList, isIP } from "node:net";
import { fail } from "../errors.ts";

/** Ranges of the IANA special-purpose registries (plus cloud hosts' own service addresses) and what each is. */
const SPECIAL_V4: readonly (readonly [network: string, bits: number, what: string])[] = [
  ["0.0.0.0", 8, "this network"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "shared by a carrier"],
  ["127.0.0.0", 8, "loopback"],
  ["168.63.129.16", 32, "a cloud service address"],
  ["169.254.0.0", 16, "link-local"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "reserved"],
  ["192.0.2.0", 24, "for documentation"],
  ["192.31.196.0", 24, "reserved"],
  ["192.52.193.0", 24, "reserved"],
  ["192.88.99.0", 24, "reserved"],
  ["192.168.0.0", 16, "private"],
  ["192.175.48.0", 24, "reserved"],
  ["198.18.0.0", 15, "for benchmarks"],
  ["198.51.100.0", 24, "for documentation"],
  ["203.0.113.0", 24, "for documentation"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved"],
];

const SPECIAL_V6: readonly (readonly [network: string, bits: number, what: string])[] = [
  ["2001::", 32, "a Teredo tunnel"],
  ["2001::", 23, "reserved"],
  ["2001:db8::", 32, "for documentation"],
  ["2002::", 16, "a 6to4 tunnel"],
  ["2620:4f:8000::", 48, "reserved"],
  ["3fff::", 20, "for documentation"],
  ["fe80::", 10, "link-local"],
  ["fc00::", 7, "private"],
  ["ff00::", 8, "multicast"],
  ["::1", 128, "loopback"],
];

/** IPv6 prefixes (hex of the first 96 bits) whose last 32 bits are an IPv4 address that the packet ends up at. */
const WRAPPING_PREFIXES: ReadonlySet<string> = new Set([
  "00000000000000000000ffff", // ::ffff:a.b.c.d, mapped
  "0000000000000000ffff0000", // ::ffff:0:a.b.c.d, translated
  "000000000000000000000000", // ::a.b.c.d, compatible
  "0064ff9b0000000000000000", // 64:ff9b::a.b.c.d, NAT64
]);

type Family = "ipv4" | "ipv6";

const blockOf = (network: string, bits: number, family: Family): BlockList => {
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list;
};

const V4_RANGES = SPECIAL_V4.map(([network, bits, what]) => ({ list: blockOf(network, bits, "ipv4"), what }));
const V6_RANGES = SPECIAL_V6.map(([network, bits, what]) => ({ list: blockOf(network, bits, "ipv6"), what }));
const GLOBAL_V6 = blockOf("2000::", 3, "ipv6");

function toDotted(hex: string): string {
  return [0, 2, 4, 6].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(".");
}

/** The 32 hex digits of an IPv6 address that `isIP` accepted. */
function toHex(address: string): string {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const pair = (a: string | undefined, b: string | undefined) => (Number(a) * 256 + Number(b)).toString(16);
  const text = dotted === null ? address : `${dotted[1]}${pair(dotted[2], dotted[3])}:${pair(dotted[4], dotted[5])}`;
  const [head = "", tail] = text.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeros = new Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...zeros, ...right].map((group) => group.padStart(4, "0")).join("");
}

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

/** A policy that refuses every special-purpose address except those in `allowPrivate` (CIDR ranges); throws INVALID_ARGUMENT for a bad range. */
export function createAddressPolicy(allowPrivate: readonly string[]): AddressPolicy {
  const opened = new BlockList();
  for (const range of allowPrivate) addRange(opened, range);
  const refusalV4 = (address: string): string | null =>
    opened.check(address, "ipv4") ? null : (V4_RANGES.find((range) => range.list.check(address, "ipv4"))?.what ?? null);
  const refusalV6 = (address: string): string | null => {
    if (opened.check(address, "ipv6")) return null;
    const special = V6_RANGES.find((range) => range.list.check(address, "ipv6"));
    if (special !== undefined) return special.what;
    const hex = toHex(address);
    if (WRAPPING_PREFIXES.has(hex.slice(0, 24))) return refusalV4(toDotted(hex.slice(24)));
    return GLOBAL_V6.check(address, "ipv6") ? null : "not a public address";
  };
  return {
    opensPrivate: allowPrivate.length > 0,
    refusal(address) {
      // A zone id names an interface of this machine: never public.
      const family = address.includes("%") ? 0 : isIP(address);
      if (family === 0) return "not a public address";
      return family === 4 ? refusalV4(address) : refusalV6(address);
    },
  };
}
