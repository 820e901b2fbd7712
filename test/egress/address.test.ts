import { describe, expect, test } from "vitest";
import { createAddressPolicy } from "../../runtime/egress/address.ts";

const strict = createAddressPolicy([]);

describe("addresses", () => {
  test.each([
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::7f00:1",
    "::a9fe:a9fe",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::ffff:0:127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::8.8.8.8",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2001:10::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "100::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%1",
    "fec0::1",
    "ff02::1",
    "4000::1",
    "255.255.255.254",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "169.254.0.0",
    "169.254.255.255",
    "172.16.0.0",
    "192.0.0.0",
    "192.0.0.255",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
    "198.19.255.255",
    "239.255.255.255",
    "2001:20::1",
    "2620:4f:8000::1",
    "febf::1",
    "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2a00:1450::5efe:10.0.0.1",
    "2a00:1450::200:5efe:a00:1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::168.63.129.16",
    "",
    "no address",
  ])("%s is refused", (address) => {
    expect(strict.refusal(address)).not.toBeNull();
  });

  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "168.63.129.17",
    "2606:4700:4700::1111",
    "2a00:1450:4001:830::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
  ])("%s may be reached", (address) => {
    expect(strict.refusal(address)).toBeNull();
  });

  test("a range that the operator opened may be reached in every spelling, and nothing else", () => {
    const policy = createAddressPolicy(["10.0.0.0/8", "fd00::/8", "192.168.7.7"]);
    expect(policy.refusal("10.9.8.7")).toBeNull();
    expect(policy.refusal("::ffff:10.9.8.7")).toBeNull();
    expect(policy.refusal("fd00::1")).toBeNull();
    expect(policy.refusal("192.168.7.7")).toBeNull();
    expect(policy.refusal("192.168.7.8")).toBe("private");
    expect(policy.refusal("127.0.0.1")).toBe("loopback");
    expect(policy.refusal("fc00::1")).toBe("private");
  });

  test.each(["10.0.0.0/33", "localhost", "10.0.0/8", "fd00::/129", "10.0.0.0/x", "10.0.0.0/-1", ""])(
    "the range %j is an error that names it",
    (range) => {
      expect(() => createAddressPolicy([range])).toThrow(`WEFT_HTTP_ALLOW_PRIVATE: "${range}"`);
    },
  );
});
