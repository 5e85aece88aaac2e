/** The settings: read from the environment once, every fault named at the same time, and complete from then on. */
import { readFileSync } from 'node:fs'
import { BlockList, isIP } from 'node:net'
import { resolve } from 'node:path'
import { getDomain, parse } from 'tldts'
import { createSendgridReader } from '../src/adapters/bounces/webhook-sendgrid.ts'
import { hostOfTopic } from '../src/adapters/bounces/webhook-ses.ts'
import { type DkimKey, readDkimKey } from '../src/adapters/smtp/dkim.ts'
import { ARXIV_CATEGORY } from '../src/core/papers/paper.ts'
import { readSmtpUrl } from '../src/core/sending/smtp-url.ts'
import { readAddress } from '../src/core/subscriber/address.ts'
import type { Keys } from '../src/core/token.ts'

export interface Config {
  production: boolean
  /** `null`: the embedded Postgres in `dataDir`. */
  databaseUrl: string | null
  /** `null`: the queue runs in the database. */
  redisUrl: string | null
  /** `null`: the embedded mailbox, which keeps every mail on this machine. */
  smtpUrl: string | null
  /** Where links in mails and pages lead, without a slash at the end. */
  baseUrl: string
  host: string
  port: number
  /** Absolute. */
  dataDir: string
  /** `null`: the key kept in `dataDir`. */
  secretKeys: Keys | null
  mailFrom: { name: string; address: string }
  /**
   * The sender of letters (confirmations and such), so that providers judge them apart from digests: what readers say
   * of a digest must not keep the next confirmation from arriving. The same as `mailFrom` unless it is set.
   */
  lettersFrom: { name: string; address: string }
  postalAddress: string | null
  /** `null`: mails leave unsigned, for the relay to sign. */
  dkim: DkimKey | null
  /** For letters: the same key at the domain that is set for them, or else `dkim`. */
  lettersDkim: DkimKey | null
  sources: SourceSetting[]
  /** The file of the relevance model, absolute; `null`: the one that ships with the project. */
  relevanceModel: string | null
  /** Networks whose forwarding headers are believed; empty: nobody's. */
  trustProxy: string[]
  logLevel: (typeof LOG_LEVELS)[number]
  mailboxPort: number
  /** Where every process, whatever its roles, says whether it is well; `null`: nowhere but on the site. */
  healthPort: number | null
  /** What becomes of a digest of which nobody knows whether the server took it. */
  onUnknown: (typeof ON_UNKNOWN)[number]
  /** Whoever has it may read what operators read; `null`: nobody, and those pages are not there. */
  adminToken: string | null
  /** For how many days what became of each delivery is kept at least. */
  keepDeliveries: number
  /** Where the service's clock starts; `null`: at the machine's time. */
  clock: Date | null
  /** Under it each mail has an envelope sender of its own, to which it comes back; `null`: all have that of MAIL_FROM. */
  bounceDomain: string | null
  /** Where what comes back is taken; `null`: nowhere. */
  bounces: { host: string; port: number } | null
  /** What proves each provider's webhook; `null`: that provider has none. */
  webhooks: {
    /** ARN of the SNS topic. */
    ses: string | null
    /** `user:password`. */
    postmark: string | null
    mailgun: string | null
    /** Public key, base64 of its DER. */
    sendgrid: string | null
  }
}

export type SourceSetting =
  | { kind: 'huggingface' }
  /** At least one category, such as `cs.CL`. */
  | { kind: 'arxiv'; categories: string[] }
  | { kind: 'file'; path: string }
  | { kind: 'sample' }

/** The settings cannot be used; `faults` has one sentence for each. */
export class UnusableSettings extends Error {
  readonly faults: string[]
  constructor(faults: string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

/** The clock cannot be used with the data it would serve; the message says what to do. */
export class UnusableClock extends Error {}

export const SOURCE_KINDS = ['huggingface', 'arxiv', 'file', 'sample'] as const

type Environment = Record<string, string | undefined>

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const
const ON_UNKNOWN = ['resend', 'hold'] as const
export const SETTINGS = new Set(
  (
    'DATABASE_URL REDIS_URL SMTP_URL BASE_URL HOST PORT DATA_DIR SECRET_KEY SECRET_KEY_PREVIOUS MAIL_FROM ' +
    'LETTERS_FROM POSTAL_ADDRESS DKIM_DOMAIN LETTERS_DKIM_DOMAIN DKIM_SELECTOR DKIM_PRIVATE_KEY PAPER_SOURCES ' +
    'RELEVANCE_MODEL ADMIN_TOKEN TRUST_PROXY LOG_LEVEL MAILBOX_PORT HEALTH_PORT CLOCK ON_UNKNOWN KEEP_DELIVERIES BOUNCE_DOMAIN ' +
    'BOUNCES_HOST BOUNCES_PORT WEBHOOK_SES_TOPIC WEBHOOK_POSTMARK_LOGIN WEBHOOK_MAILGUN_KEY WEBHOOK_SENDGRID_KEY'
  ).split(' '),
)

/** What docker-compose.yml fills in where nothing is set: nobody else is to be served with it. */
const AT_HOME = { databasePassword: 'at-home-only', mailServer: 'mailpit' }

/** Reads the settings. An empty variable counts as not set. Throws `UnusableSettings` with every fault found. */
export const readConfig = (environment: Environment): Config => {
  const faults: string[] = []
  const get = (name: string): string | null => {
    if (!SETTINGS.has(name)) throw new Error(`${name} is no setting`)
    return environment[name]?.trim() || null
  }
  /** Reads one setting; what the reader throws becomes a fault under the setting's name. */
  const read = <T>(name: string, fallback: T, reader: (text: string) => T): T => {
    const text = get(name)
    if (text === null) return fallback
    try {
      return reader(text)
    } catch (error) {
      faults.push(`${name}: ${(error as Error).message}`)
      return fallback
    }
  }

  const production = environment.NODE_ENV === 'production'
  const host = get('HOST') ?? '127.0.0.1'
  const port = read('PORT', 8080, readPort)
  const baseUrl = read('BASE_URL', `http://localhost:${port}`, readBaseUrl)
  const mailFrom = read('MAIL_FROM', { name: 'Paper Round', address: 'round@localhost' }, readSender)
  const lettersFrom = read('LETTERS_FROM', mailFrom, readSender)
  const config: Config = {
    production,
    databaseUrl: read('DATABASE_URL', null, (text) => readUrl(text, ['postgres:', 'postgresql:'])),
    redisUrl: read('REDIS_URL', null, (text) => readUrl(text, ['redis:', 'rediss:'])),
    smtpUrl: read('SMTP_URL', null, (text) => {
      readSmtpUrl(text)
      return text
    }),
    baseUrl,
    host,
    port,
    dataDir: resolve(get('DATA_DIR') ?? '.data'),
    secretKeys: readKeys(get('SECRET_KEY'), get('SECRET_KEY_PREVIOUS'), faults),
    mailFrom,
    lettersFrom,
    postalAddress: get('POSTAL_ADDRESS'),
    ...readDkim(get, read, { mailFrom, lettersFrom }, faults),
    sources: read('PAPER_SOURCES', [{ kind: 'huggingface' }], readSources),
    relevanceModel: read('RELEVANCE_MODEL', null, (text) => resolve(text)),
    trustProxy: read('TRUST_PROXY', [], readNetworks),
    logLevel: read('LOG_LEVEL', 'info', readLogLevel),
    mailboxPort: read('MAILBOX_PORT', 8025, readPort),
    healthPort: read('HEALTH_PORT', null, readPort),
    onUnknown: read('ON_UNKNOWN', 'resend', readOnUnknown),
    adminToken: read('ADMIN_TOKEN', null, readAdminToken),
    keepDeliveries: read('KEEP_DELIVERIES', 90, readKeepDays),
    clock: read('CLOCK', null, readInstant),
    bounceDomain: read('BOUNCE_DOMAIN', null, readDomain),
    bounces: null,
    webhooks: {
      ses: read('WEBHOOK_SES_TOPIC', null, (text) => {
        if (hostOfTopic(text) === null) throw new Error('is not the ARN of an SNS topic')
        return text
      }),
      postmark: read('WEBHOOK_POSTMARK_LOGIN', null, (text) => {
        if (!/^[^:]+:.{16,}$/.test(text))
          throw new Error('write it as user:password, the password of 16 characters or more')
        return text
      }),
      mailgun: get('WEBHOOK_MAILGUN_KEY'),
      sendgrid: read('WEBHOOK_SENDGRID_KEY', null, (text) => {
        try {
          createSendgridReader(text)
        } catch {
          throw new Error('is not the public key that SendGrid shows')
        }
        return text
      }),
    },
  }
  const bouncesPort = read('BOUNCES_PORT', null, readPort)
  if (bouncesPort !== null && get('BOUNCE_DOMAIN') === null)
    faults.push('BOUNCES_PORT: goes with BOUNCE_DOMAIN, under which mail comes back, such as bounces.example.org')
  if (bouncesPort !== null) config.bounces = { host: get('BOUNCES_HOST') ?? host, port: bouncesPort }
  if (production) faults.push(...productionFaults(config))
  if ((production || config.smtpUrl !== null) && config.sources.some((source) => source.kind === 'sample'))
    faults.push('PAPER_SOURCES: `sample` is for trying out; not in production, and not with SMTP_URL')
  if (!production && mailLeaves(config) && get('MAIL_FROM') === null)
    faults.push('MAIL_FROM: needed with SMTP_URL, such as: Paper Round <round@example.org>')
  if (faults.length > 0) throw new UnusableSettings(faults)
  return config
}

/** Whether mail goes to other people, and not only into a mailbox for looking at. */
export const mailLeaves = ({ smtpUrl }: Pick<Config, 'smtpUrl'>): boolean =>
  smtpUrl !== null && readSmtpUrl(smtpUrl).host !== AT_HOME.mailServer

const productionFaults = (config: Config): string[] => {
  const faults: string[] = []
  const { hostname, protocol } = new URL(config.baseUrl)
  // By the list of public suffixes: .local, .internal, .test, bare names and addresses lead a reader's browser nowhere.
  const { isIcann, isIp, domain } = parse(hostname, { allowPrivateDomains: false })
  const isPublic = isIcann === true && isIp === false && domain !== null && !/\.(?:arpa|onion)?$/.test(hostname)
  if (protocol !== 'https:' || !isPublic)
    faults.push(`BASE_URL: needed in production as a public https address, such as https://round.example.org`)
  if (config.databaseUrl === null)
    faults.push('DATABASE_URL: needed in production, such as postgres://user:password@host/paper_round')
  else if (new URL(config.databaseUrl).password === AT_HOME.databasePassword)
    faults.push('DATABASE_URL: has the password that is for trying out; with docker-compose.yml set POSTGRES_PASSWORD')
  if (config.secretKeys === null)
    faults.push('SECRET_KEY: needed in production, 64 hex digits; make one with: openssl rand -hex 32')
  if (!mailLeaves(config))
    faults.push('SMTP_URL: needed in production, such as smtp://user:password@mail.example.org:587')
  if (config.postalAddress === null)
    faults.push('POSTAL_ADDRESS: needed in production; the law asks for it in every newsletter')
  if (config.mailFrom.address === 'round@localhost')
    faults.push('MAIL_FROM: needed in production, such as: Paper Round <round@example.org>')
  if (config.clock !== null) faults.push('CLOCK: not in production; the service must follow the real time there')
  return faults
}

const readUrl = (text: string, protocols: string[]): string => {
  const wish = `write it as ${protocols[0]}//user:password@host:port/…`
  // The text itself may hold a password: it is never repeated.
  if (!URL.canParse(text)) throw new Error(`is not a URL; ${wish}`)
  const url = new URL(text)
  if (!protocols.includes(url.protocol)) throw new Error(`begins with ${url.protocol}; ${wish}`)
  if (url.hostname === '') throw new Error(`names no host; ${wish}`)
  return text
}

const readBaseUrl = (text: string): string => {
  if (!URL.canParse(text)) throw new Error('is not a URL; write it as https://round.example.org')
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new Error('must begin with https:// (or http://)')
  if (url.search !== '' || url.hash !== '' || url.username !== '')
    throw new Error('is an address and a path at most; leave out ? # and user names')
  return url.href.replace(/\/+$/, '')
}

const readPort = (text: string): number => {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new Error('is not a port; write a number from 0 (any free one) to 65535')
  return port
}

/** Fewer days would drop what readers and their mail servers may still answer to. */
const LEAST_KEPT = 31

const readKeepDays = (text: string): number => {
  const days = Number(text)
  if (!/^\d{1,5}$/.test(text) || days < LEAST_KEPT) throw new Error(`is a number of days, ${LEAST_KEPT} at least`)
  return days
}

const readDomain = (text: string): string => {
  const found = readAddress(`b@${text}`)
  if ('problem' in found) throw new Error('is not a domain; write it as bounces.example.org')
  return found.address.slice(2)
}

const readSender = (text: string): { name: string; address: string } => {
  const [, name = '', inBrackets] = /^(.*?)\s*<([^<>]+)>$/.exec(text) ?? []
  const found = readAddress(inBrackets ?? text)
  if ('problem' in found) throw new Error(`is not a sender (${found.problem}) Write: Paper Round <round@example.org>`)
  if (/[\p{Cc}"<>]/u.test(name))
    throw new Error('the name holds quotes, brackets or control characters; leave them out')
  return { name: name || 'Paper Round', address: found.address }
}

/**
 * All three or none; letters may have a domain of their own, at which the same key is published. The key itself is never
 * repeated, and neither is what might be one.
 */
const readDkim = (
  get: (name: string) => string | null,
  read: <T>(name: string, fallback: T, reader: (text: string) => T) => T,
  { mailFrom, lettersFrom }: Pick<Config, 'mailFrom' | 'lettersFrom'>,
  faults: string[],
): Pick<Config, 'dkim' | 'lettersDkim'> => {
  const apart = get('LETTERS_DKIM_DOMAIN') !== null
  const missing = DKIM.filter((name) => get(name) === null)
  if (missing.length === DKIM.length && !apart) return { dkim: null, lettersDkim: null }
  for (const name of missing) faults.push(`${name}: needed with the others of DKIM; set ${DKIM.join(', ')}, or none`)
  const domain = read('DKIM_DOMAIN', null, (text) =>
    readDkimDomain(text, { MAIL_FROM: mailFrom, ...(apart ? {} : { LETTERS_FROM: lettersFrom }) }),
  )
  const lettersDomain = read('LETTERS_DKIM_DOMAIN', domain, (text) => {
    if (lettersFrom.address === mailFrom.address) throw new Error('goes with LETTERS_FROM, an address of their own')
    return readDkimDomain(text, { LETTERS_FROM: lettersFrom })
  })
  const selector = read('DKIM_SELECTOR', null, (text) => {
    if (!LABELS.test(text))
      throw new Error('is not a selector; write what stands before ._domainkey, such as round2026')
    return text
  })
  const privateKey = read('DKIM_PRIVATE_KEY', null, (text) => readDkimKey(readPem(text)))
  if (domain === null || lettersDomain === null || selector === null || privateKey === null)
    return { dkim: null, lettersDkim: null }
  return { dkim: { domain, selector, privateKey }, lettersDkim: { domain: lettersDomain, selector, privateKey } }
}

const DKIM = ['DKIM_DOMAIN', 'DKIM_SELECTOR', 'DKIM_PRIVATE_KEY']
const LABELS = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i

/** DMARC counts a signature when its domain and the sender's have the same registrable domain (RFC 7489 3.1.1). */
const readDkimDomain = (text: string, senders: Record<string, { address: string }>): string => {
  if (!LABELS.test(text)) throw new Error('is not a domain; write it as example.org')
  const domain = text.toLowerCase()
  const registrable = (name: string) => getDomain(name, { allowPrivateDomains: true }) ?? name
  for (const [name, { address }] of Object.entries(senders)) {
    const senderDomain = address.split('@')[1] ?? ''
    if (registrable(domain) !== registrable(senderDomain))
      throw new Error(`is not aligned with ${senderDomain}, the domain of ${name}, so DMARC would not count it`)
  }
  return domain
}

/** A key in PEM, whose line ends may be written as `\\n` as in a file of settings; or the path of a file that holds one. */
const readPem = (text: string): string => {
  if (text.includes('-----BEGIN')) return text.replaceAll('\\n', '\n')
  try {
    return readFileSync(text, 'utf8')
  } catch {
    throw new Error('is neither a private key in PEM nor the path of a file that can be read')
  }
}

const readSources = (text: string): SourceSetting[] => text.split(',').map((part) => readSource(part.trim()))

/** One source as it is written in PAPER_SOURCES. Throws a clause that says what would be right. */
export const readSource = (setting: string): SourceSetting => {
  const kind = SOURCE_KINDS.find((one) => one === setting.split(':')[0])
  if ((kind === 'huggingface' || kind === 'sample') && setting === kind) return { kind }
  if (kind === 'arxiv') return { kind, categories: readCategories(setting.slice('arxiv:'.length)) }
  if (kind === 'file' && setting.length > 'file:'.length) return { kind, path: resolve(setting.slice('file:'.length)) }
  throw new Error(
    `does not know ${JSON.stringify(setting)}; write a comma list of huggingface, arxiv:cs.CL+cs.LG, file:PATH, sample`,
  )
}

const readCategories = (text: string): string[] => {
  const categories = [...new Set(text.split('+').map((category) => category.trim()))]
  const unknown = categories.find((category) => !ARXIV_CATEGORY.test(category))
  if (unknown === '') throw new Error('arxiv needs its categories, such as arxiv:cs.CL+cs.LG')
  if (unknown !== undefined)
    throw new Error(`${JSON.stringify(unknown)} is no category of arXiv; write them as it does, arxiv:cs.CL+cs.LG`)
  return categories
}

/** A list of networks alone: `true` or a count would believe whatever address a client writes into its own request. */
const readNetworks = (text: string): string[] =>
  text.split(',').map((part) => {
    const network = part.trim()
    const [address = '', bits] = network.split('/')
    const family = isIP(address)
    const most = family === 6 ? 128 : 32
    const isPrefix = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
    if (family === 0 || !isPrefix)
      throw new Error(
        `${JSON.stringify(network)} is not a network; write those of your proxies, such as 10.0.0.0/8,::1`,
      )
    new BlockList().addSubnet(address, Number(bits ?? most), family === 6 ? 'ipv6' : 'ipv4')
    return network
  })

const readLogLevel = (text: string): Config['logLevel'] => {
  const level = LOG_LEVELS.find((one) => one === text)
  if (level === undefined) throw new Error(`is one of ${LOG_LEVELS.join(', ')}`)
  return level
}

const readOnUnknown = (text: string): Config['onUnknown'] => {
  const way = ON_UNKNOWN.find((one) => one === text)
  if (way === undefined) throw new Error(`is one of ${ON_UNKNOWN.join(', ')}`)
  return way
}

/** Short ones can be guessed; the text itself is never repeated. */
const readAdminToken = (text: string): string => {
  if (!/^[\x21-\x7e]{32,}$/.test(text))
    throw new Error('is not 32 characters or more without spaces; make one with: openssl rand -hex 32')
  return text
}

/** An instant with its offset; a time without one would mean another moment on every machine. */
export const readInstant = (text: string): Date => {
  const instant = new Date(text)
  const form = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (form === null || readDay(form[1] ?? '') === null || Number.isNaN(instant.getTime()))
    throw new Error('is not an instant; write it as 2026-04-14T05:00:00Z')
  return instant
}

/** A date that the calendar has, `YYYY-MM-DD`, or `null`: JavaScript takes the 31st of February for the 3rd of March. */
export const readDay = (text: string): string | null => {
  const instant = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(instant.getTime()) && instant.toISOString().slice(0, 10) === text ? text : null
}

const readKeys = (key: string | null, previous: string | null, faults: string[]): Keys | null => {
  const HEX = /^[0-9a-f]{64,}$/i
  const all = [...(key === null ? [] : [key]), ...(previous?.split(',').map((part) => part.trim()) ?? [])]
  if (key !== null && !HEX.test(key))
    faults.push('SECRET_KEY: is not 64 hex digits; make one with: openssl rand -hex 32')
  if (previous !== null && key === null)
    faults.push('SECRET_KEY_PREVIOUS: goes with SECRET_KEY, the newest of the keys')
  if (previous?.split(',').some((part) => !HEX.test(part.trim())))
    faults.push('SECRET_KEY_PREVIOUS: is not a comma list of former keys, each of 64 hex digits')
  const [first, ...rest] = all.filter((part) => HEX.test(part)).map((part) => Buffer.from(part, 'hex'))
  return first === undefined || key === null ? null : [first, ...rest]
}
