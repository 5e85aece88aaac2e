/** Which IP addresses belong to the public internet, by the registries of special ones (RFC 6890 and its successors). */
import ipaddr from 'ipaddr.js'

/** One spelling for each address, IPv4 within IPv6 as IPv4; `null` for what is no address. */
export const readIpAddress = (text: string): string | null => {
  // Only what every program reads as the same address: `127.1` or `0x7f000001` is a name, or somebody's trick.
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) return null
  return ipaddr.process(text).toNormalizedString()
}

/**
 * Whether an address can be anybody's on the internet: not loopback, private, link-local (where clouds keep their
 * secrets), carrier-grade NAT, multicast, documentation, reserved, nor an IPv6 one that leads to such an IPv4 one
 * (NAT64, 6to4, Teredo). What is no address is not public.
 */
export const isPublicAddress = (text: string): boolean => {
  const address = readIpAddress(text)
  return address !== null && ipaddr.parse(address).range() === 'unicast'
}
