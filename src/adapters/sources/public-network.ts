/**
 * Connections to the public internet only. A foreign name may resolve to any address, ours included, and to another one at
 * each lookup: so the address about to be connected to is the one that is checked.
 */
import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress } from '../../core/public-address.ts'

/** The code of the error where a name resolves to no public address. */
export const NOT_PUBLIC = 'ENOTPUBLIC'

const notPublicError = (): NodeJS.ErrnoException =>
  Object.assign(new Error('the name resolves to no public address'), { code: NOT_PUBLIC })

/** Returns a lookup that leaves out addresses that are not public; an error with `NOT_PUBLIC` where none is left. */
export const createPublicLookup =
  (lookup: LookupFunction = systemLookup): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, [])
      const addresses = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found
      const open = addresses.filter(({ address }) => isPublicAddress(address))
      const [first] = open
      if (first === undefined) return callback(notPublicError(), [])
      if (options.all === true) callback(null, open)
      else callback(null, first.address, first.family)
    })
  }

type Dispatcher = NonNullable<RequestInit['dispatcher']>
let network: Promise<Dispatcher> | null = null

/** A dispatcher for `fetch` that connects to public addresses only. An address in place of a name is not checked by it. */
export const publicNetwork = (): Promise<Dispatcher> => {
  // It takes a while to load, and most commands ask no source.
  network ??= import('undici').then(
    ({ Agent }) =>
      // The same class, of two sets of types: those that Node's own come with are a few versions older.
      new Agent({ connect: { lookup: createPublicLookup() } }) as unknown as Dispatcher,
  )
  return network
}

/** Whether a host is an address literal that is not public. */
export const isPrivateLiteral = (hostname: string): boolean => {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(address) !== 0 && !isPublicAddress(address)
}
