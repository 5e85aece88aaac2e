/**
 * Reads the URL of an SMTP server, as in SMTP_URL: `smtp://user:password@host:587` or `smtps://host`, optionally with
 * `?requireTLS=true|false` or `?allowInvalidCertificate=true`.
 */

export interface SmtpServer {
  host: string
  port: number
  /** TLS from the first byte (`smtps:`). */
  implicitTls: boolean
  /** With STARTTLS: whether a server without it is refused. */
  requireTls: boolean
  verifyCertificate: boolean
  login: { user: string; password: string } | null
}

const LOOPBACK = /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|::1)$/i
/** Whether a host name or address means this machine. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host)

const PORTS = { 'smtp:': 587, 'smtps:': 465 }
const FORM = 'write it as smtp://user:password@host:587'

/**
 * Reads the URL; throws an `Error` whose message says what to write instead and repeats no password. The port is 587 for
 * `smtp:` and 465 for `smtps:` unless it is given.
 *
 * TLS is required unless the server is on this machine, and certificates are verified. On the loopback TLS is used where
 * it is offered, without verifying: falling back to no TLS would be allowed there as well.
 */
export const readSmtpUrl = (text: string): SmtpServer => {
  const url = URL.parse(text)
  const scheme = url?.protocol
  if (url === null || (scheme !== 'smtp:' && scheme !== 'smtps:')) throw new Error(FORM)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (host === '' || !/^[A-Za-z0-9._:-]+$/.test(host)) throw new Error(`${FORM}, with a host name in plain letters`)
  if (!['', '/'].includes(url.pathname) || url.hash !== '') throw new Error(`${FORM}, with nothing after the port`)
  if (url.port === '0') throw new Error(`${FORM}, with a port from 1 to 65535`)

  const implicitTls = scheme === 'smtps:'
  const flags = readFlags(url.searchParams)
  if (implicitTls && flags.requireTLS === false) throw new Error('smtps: always uses TLS; leave out requireTLS=false')
  const loopback = isLoopback(host)
  const requireTls = implicitTls || (flags.requireTLS ?? !loopback)
  return {
    host,
    port: url.port === '' ? PORTS[scheme] : Number(url.port),
    implicitTls,
    requireTls,
    verifyCertificate: flags.allowInvalidCertificate !== true && (requireTls || !loopback),
    login: readLogin(url),
  }
}

const readFlags = (given: URLSearchParams): { requireTLS?: boolean; allowInvalidCertificate?: boolean } => {
  const flags: Record<string, boolean> = {}
  for (const [name, value] of given) {
    if (name !== 'requireTLS' && name !== 'allowInvalidCertificate') {
      throw new Error('after ? only requireTLS and allowInvalidCertificate are known')
    }
    if (value !== 'true' && value !== 'false') throw new Error(`${name} is true or false`)
    flags[name] = value === 'true'
  }
  return flags
}

const readLogin = (url: URL): SmtpServer['login'] => {
  if (url.username === '' && url.password === '') return null
  if (url.username === '' || url.password === '') throw new Error(`${FORM}, with both user and password or neither`)
  try {
    return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
  } catch {
    throw new Error(`${FORM}, with every % in user and password as %25`)
  }
}
