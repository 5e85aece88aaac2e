/**
 * Connections to the public internet only. A foreign name may resolve to any address, ours included, and to another one at
 * each lookup: so the address about to be connected to is the one that is checked.
 */
import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import type { Agent, RequestInit, Response } from 'undici'
import { isPublicAddress } from '../core/public-address.ts'

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

type Undici = typeof import('undici')
let undici: Promise<{ fetch: Undici['fetch']; publicAgent: Agent }> | null = null

/**
 * `fetch` that connects to public addresses only, or with `anyNetwork` to any. An address in place of a name is not checked
 * by it. It is the `fetch` of the same undici as its `Agent`: Node's own belongs to another version of undici and fails
 * with the `Agent` of a different one.
 */
export const fetchFromNetwork = async (
  url: URL,
  init: Omit<RequestInit, 'dispatcher'>,
  { anyNetwork }: { anyNetwork: boolean },
): Promise<Response> => {
  // It takes a while to load, and most commands ask no source.
  undici ??= import('undici').then(({ fetch, Agent }) => ({
    fetch,
    publicAgent: new Agent({ connect: { lookup: createPublicLookup() } }),
  }))
  const { fetch, publicAgent } = await undici
  return fetch(url, anyNetwork ? init : { ...init, dispatcher: publicAgent })
}

/** Whether a host is an address literal that is not public. */
export const isPrivateLiteral = (hostname: string): boolean => {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(address) !== 0 && !isPublicAddress(address)
}
