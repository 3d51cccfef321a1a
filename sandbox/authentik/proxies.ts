import { BlockList, isIPv6 } from "node:net";

/** Whom Authentik takes `X-Forwarded-*` from when AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS says nothing else. */
export const TRUSTED_PROXIES = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fe80::/10", "::1/128"];

/** @returns whether a peer's address lies in one of the networks */
export function within(cidrs: string[]): (address: string) => boolean {
  const networks = new BlockList();
  for (const cidr of cidrs) {
    const [address = "", bits = ""] = cidr.split("/");
    networks.addSubnet(address, Number(bits), familyOf(address));
  }
  return (address) => networks.check(address, familyOf(address));
}

const familyOf = (address: string) => (isIPv6(address) ? "ipv6" : "ipv4");
