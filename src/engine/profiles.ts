import type { HostProfile } from "../../runtime/index.ts";

/** Chooses the kind of host process for an account. */
export type Profiles = (accountId: string) => HostProfile;

/** The rule of the setting: `auto` trusts the owner's account with the JIT and nobody else; the others are for all. */
export function createProfiles(setting: "auto" | HostProfile, ownerAccountId: string): Profiles {
  if (setting !== "auto") return () => setting;
  return (accountId) => (accountId === ownerAccountId ? "fast" : "hardened");
}
