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
 * secrets), carrier-grade NAT, multicast, documentation or reserved, nor one of IPv6 that stands for such a one of IPv4
 * (6to4, Teredo; NAT64 counts as what it leads to, since networks without IPv4 reach the rest so). What is no address is
 * not public.
 */
export const isPublicAddress = (text: string): boolean => {
  const address = readIpAddress(text)
  if (address === null) return false
  const parsed = ipaddr.parse(address)
  if (parsed instanceof ipaddr.IPv6 && parsed.range() === 'rfc6052')
    return isPublicAddress(parsed.toByteArray().slice(12).join('.'))
  return parsed.range() === 'unicast'
}
