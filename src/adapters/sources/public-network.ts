/**
 * Connections to the public internet alone. A name that somebody else holds may lead to any address, ours included, and
 * to another one each time it is asked for: so it is the address about to be connected to that is looked at.
 */
import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress } from '../../core/public-address.ts'

/** The code of the error when a name leads to no public address. */
export const NOT_PUBLIC = 'ENOTPUBLIC'

const refusal = (): NodeJS.ErrnoException =>
  Object.assign(new Error('the name leads to no public address'), { code: NOT_PUBLIC })

/** Looks names up as `lookup` does, and leaves out what is not public. */
export const createPublicLookup =
  (lookup: LookupFunction = systemLookup): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, [])
      const addresses = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found
      const open = addresses.filter(({ address }) => isPublicAddress(address))
      const [first] = open
      if (first === undefined) return callback(refusal(), [])
      if (options.all === true) callback(null, open)
      else callback(null, first.address, first.family)
    })
  }

type Dispatcher = NonNullable<RequestInit['dispatcher']>
let network: Promise<Dispatcher> | null = null

/** For `fetch`: refuses what a name leads to unless it is public. An address in place of a name is not looked up at all. */
export const publicNetwork = (): Promise<Dispatcher> => {
  // It takes a while to load, and most commands ask no source.
  network ??= import('undici').then(
    ({ Agent }) =>
      // The same class, of two sets of types: those that Node's own come with are a few versions older.
      new Agent({ connect: { lookup: createPublicLookup() } }) as unknown as Dispatcher,
  )
  return network
}

/** Whether a host is written as an address that is not public. */
export const isPrivateLiteral = (hostname: string): boolean => {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(address) !== 0 && !isPublicAddress(address)
}
