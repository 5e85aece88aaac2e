/** Under which names the admin site may be reached, so that a page of another site cannot reach it by a name of its own. */
import { isIP } from 'node:net'

/** The host of a `Host` header without its port and brackets, in lower case. */
const hostNameOf = (host: string): string => {
  const bare = /^\[([^\]]*)\](?::\d*)?$/.exec(host)?.[1] ?? host.replace(/:\d*$/, '')
  return bare.toLowerCase().replace(/\.$/, '')
}

/**
 * Whether a request was sent to one of our names. An attacker’s name can be made to lead to a loopback address (DNS
 * rebinding), and the browser then takes our pages for theirs; an address, and `localhost`, which browsers resolve
 * themselves, cannot. `listens`: ADMIN_HOST, which may be a name.
 */
export const isOwnHost = (host: string | undefined, listens: string): boolean => {
  if (host === undefined) return false
  const name = hostNameOf(host)
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost') || name === listens.toLowerCase()
}
