/** The settings of addresses and ports: where the site is reached, where processes listen, which proxies are trusted. */
import { BlockList, isIP } from 'node:net'
import type { Settings } from './settings.ts'

export interface NetworkConfig {
  /** The address that links in mails and pages begin with, without a slash at the end. */
  baseUrl: string
  host: string
  port: number
  /** Networks whose forwarding headers are trusted; empty: none. */
  trustProxy: string[]
  mailboxPort: number
  /** Where every process, whatever its roles, reports its health; `null`: on the site only. */
  healthPort: number | null
  /** Where the pages for operators are; `null` where there are none. */
  admin: AdminListener | null
}

export interface AdminListener {
  host: string
  port: number
  /** Whether the port was chosen: without it, one that is in use leaves the service without these pages, and nothing else. */
  chosen: boolean
}

const ADMIN_PORT = 8090

export const readNetwork = ({ get, read }: Settings): NetworkConfig => {
  const port = read('PORT', 8080, readPort)
  return {
    baseUrl: read('BASE_URL', `http://localhost:${port}`, readBaseUrl),
    host: get('HOST') ?? '127.0.0.1',
    port,
    trustProxy: read('TRUST_PROXY', [], readNetworks),
    mailboxPort: read('MAILBOX_PORT', 8025, readPort),
    healthPort: read('HEALTH_PORT', null, readPort),
    admin: readAdmin({ get, read }),
  }
}

/** There are pages for operators where somebody may sign in: with ADMIN_TOKEN, or as an operator who has a token. */
const readAdmin = ({ get, read }: Pick<Settings, 'get' | 'read'>): AdminListener | null => {
  const chosen = get('ADMIN_PORT') !== null
  if (!chosen && get('ADMIN_TOKEN') === null) return null
  return { host: get('ADMIN_HOST') ?? '127.0.0.1', port: read('ADMIN_PORT', ADMIN_PORT, readPort), chosen }
}

export const readPort = (text: string): number => {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new Error('is not a port; write a number from 0 (any free one) to 65535')
  return port
}

const readBaseUrl = (text: string): string => {
  if (!URL.canParse(text)) throw new Error('is not a URL; write it as https://round.example.org')
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new Error('must begin with https:// (or http://)')
  // The text itself may hold a password: it is never repeated.
  if (url.search !== '' || url.hash !== '' || url.username !== '')
    throw new Error('is an address and a path at most; leave out ? # and user names')
  return url.href.replace(/\/+$/, '')
}

/** Only networks: `true` or a count would trust whatever address a client writes into its own request. */
const readNetworks = (text: string): string[] =>
  text.split(',').map((part) => {
    const network = part.trim()
    const [address = '', bits] = network.split('/')
    const family = isIP(address)
    const maxBits = family === 6 ? 128 : 32
    const isPrefix = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= maxBits)
    if (family === 0 || !isPrefix)
      throw new Error(
        `${JSON.stringify(network)} is not a network; write those of your proxies, such as 10.0.0.0/8,::1`,
      )
    new BlockList().addSubnet(address, Number(bits ?? maxBits), family === 6 ? 'ipv6' : 'ipv4')
    return network
  })
