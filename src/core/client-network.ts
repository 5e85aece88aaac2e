/** Which requests count as one client's: those of an IPv4 address, or of a /64 of IPv6, which is one household or machine. */
import ipaddr from 'ipaddr.js'

/** A client's address without the zone of a link-local one; `null` for a text that is none, as a proxy may hand over. */
export const clientAddress = (ip: string): string | null => {
  const [address = ''] = ip.split('%')
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : null
}

/** An IPv4 address as it is, one within IPv6 as IPv4, the /64 of any other; a text that is no address as it is. */
export const clientNetwork = (ip: string): string => {
  // The zone of a link-local address (`fe80::1%eth0`) is ours, not the client's.
  const [address = ''] = ip.split('%')
  if (!ipaddr.isValid(address)) return ip
  const parsed = ipaddr.process(address)
  if (parsed instanceof ipaddr.IPv4) return parsed.toString()
  const half = parsed.toByteArray().slice(0, 8)
  return `${Buffer.from(half).toString('hex')}/64`
}
