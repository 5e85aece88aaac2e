/** Checks SPF (RFC 7208): whether the domain of the envelope sender authorises the servers that our mail leaves from. */
import { type Finding, fault, fine, warning } from './check.ts'
import { organisationOf } from './dmarc.ts'
import { type LookupResult, lookupFailed, recordsOf, txtRecord } from './lookup.ts'

export type SpfResult = 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'permerror' | 'temperror'

/** What a receiver's evaluation of SPF gives for mail from one address. */
export interface SpfEvaluation {
  address: string
  result: SpfResult
  /** Of an error, such as `Too many DNS requests`; `''` otherwise. */
  reason: string
  /** DNS lookups that the evaluation made. */
  lookups: number
}

/** The servers that send for us. */
export interface Senders {
  /** The host of SMTP_URL. */
  relay: string
  addresses: string[]
  /** Whether an operator named the addresses; otherwise they are those at which the relay receives mail. */
  named: boolean
}

export interface SpfFacts {
  domain: string
  records: LookupResult<string[]>
  results: SpfEvaluation[]
  /** The evaluation for an unused address, which matches no mechanism, so that all of them are evaluated. */
  stranger: SpfEvaluation
}

/** DNS lookups that one evaluation may make (RFC 7208 4.6.4). */
export const MAX_LOOKUPS = 10

/** The `include:` that widely used relays ask for, by the organisational domain of their host. */
const INCLUDES: Record<string, string> = {
  'amazonaws.com': 'amazonses.com',
  'brevo.com': 'spf.brevo.com',
  'gmail.com': '_spf.google.com',
  'google.com': '_spf.google.com',
  'mailgun.org': 'mailgun.org',
  'mailjet.com': 'spf.mailjet.com',
  'messagingengine.com': 'spf.messagingengine.com',
  'office365.com': 'spf.protection.outlook.com',
  'postmarkapp.com': 'spf.mtasv.net',
  'sendgrid.net': 'sendgrid.net',
}

const isRecord = (text: string): boolean => /^v=spf1(?: |$)/i.test(text)
const termsOf = (record: string): string[] => record.trim().split(/\s+/).slice(1)
const isAll = (term: string): boolean => /^[+?~-]?all$/i.test(term)

/** The terms that would authorise these senders. */
const termsFor = ({ relay, addresses, named }: Senders): string[] => {
  const organisation = organisationOf(relay)
  const include = Object.hasOwn(INCLUDES, organisation) ? INCLUDES[organisation] : undefined
  if (include !== undefined && !named) return [`include:${include}`]
  if (addresses.length === 0) return ['ip4:<the address that our mail leaves from>']
  return addresses.map((address) => `${address.includes(':') ? 'ip6' : 'ip4'}:${address}`)
}

/** A record with more terms before its `all`, which becomes `~all` where it had none or authorised everybody. */
const recordWith = (domain: string, terms: string[], more: string[]): string => {
  const end = terms.find(isAll)
  const kept = terms.filter((term) => !isAll(term) && !/^redirect=/i.test(term))
  const redirect = end === undefined ? terms.filter((term) => /^redirect=/i.test(term)) : []
  const last = redirect.length > 0 ? redirect : [end === undefined || /^[+?]?all$/i.test(end) ? '~all' : end]
  return txtRecord(domain, ['v=spf1', ...new Set([...kept, ...more, ...last])].join(' '))
}

/** Whether a record includes that of the relay's organisation, or the one that it is known to ask for. */
const includesRelay = (terms: string[], { relay }: Senders): boolean => {
  const home = organisationOf(relay)
  const lists = new Set([home, organisationOf((Object.hasOwn(INCLUDES, home) ? INCLUDES[home] : undefined) ?? home)])
  return terms.some((term) => {
    const target = /^(?:\+?include:|redirect=)(\S+)$/i.exec(term)?.[1]?.toLowerCase()
    return target !== undefined && lists.has(organisationOf(target))
  })
}

export const checkSpf = ({ domain, records, results, stranger }: SpfFacts, senders: Senders): Finding => {
  if (records.kind === 'failed') return lookupFailed(domain, records.reason)
  const found = recordsOf(records)
    .map((strings) => strings.join(''))
    .filter(isRecord)
  const [record] = found
  if (record === undefined)
    return fault(
      `no SPF record at ${domain}`,
      'it authorises no server to send for this domain, and large mailbox providers refuse mail without SPF',
      recordWith(domain, [], termsFor(senders)),
    )
  const all = [...new Set(found.flatMap(termsOf))]
  if (found.length > 1)
    return fault(
      `${found.length} SPF records at ${domain}: ${found.map((text) => JSON.stringify(text)).join(' and ')}`,
      'receivers use none of several records (RFC 7208 4.5)',
      `put one in place of them: ${recordWith(domain, all, [])}`,
    )
  const says = `${JSON.stringify(record)} at ${domain}`
  if (stranger.result === 'temperror') return lookupFailed(`what ${says} includes`, stranger.reason)
  if (stranger.result === 'permerror')
    return fault(
      `${says}: ${stranger.reason}`,
      `receivers stop with an error: a record may take ${MAX_LOOKUPS} lookups, two of them for names without records, and must be well-formed`,
      stranger.lookups > MAX_LOOKUPS
        ? `take out what no longer sends for ${domain}, or name addresses (ip4:, ip6:) instead of include:, a, mx and exists:`
        : `correct or take out the term that the error names; with nothing but our senders it is ${recordWith(domain, [], termsFor(senders))}`,
    )
  if (stranger.result === 'pass')
    return fault(says, 'it authorises everybody to send for this domain', recordWith(domain, all, termsFor(senders)))
  return checkSenders(domain, says, all, results, senders) ?? checkOthers(domain, says, all, stranger)
}

/** What is wrong with the evaluation of our senders; `null` where nothing is. */
const checkSenders = (
  domain: string,
  says: string,
  terms: string[],
  results: SpfEvaluation[],
  senders: Senders,
): Finding | null => {
  const refused = results.filter(({ result }) => result !== 'pass').map(({ address }) => address)
  if (refused.length === 0 || (!senders.named && includesRelay(terms, senders))) return null
  const mend = recordWith(domain, terms, termsFor({ ...senders, addresses: refused }))
  if (senders.named) return fault(says, `it does not authorise ${refused.join(', ')}, where our mail leaves from`, mend)
  const wrong = `it does not authorise ${senders.relay} (${refused.join(', ')})`
  // An included record may authorise the addresses from which the relay sends on; plain addresses cannot.
  const mayBeInList = terms.some((term) => /^\+?(?:include|exists|redirect)[:=]/i.test(term))
  const isKnown = Object.hasOwn(INCLUDES, organisationOf(senders.relay))
  return mayBeInList && !isKnown
    ? warning(says, `${wrong}; where it sends on from other addresses, name them with --sends-from`, mend)
    : fault(says, wrong, mend)
}

/** What the record says of all other servers. */
const checkOthers = (domain: string, says: string, terms: string[], stranger: SpfEvaluation): Finding => {
  if (stranger.result === 'neutral')
    return warning(
      says,
      'it says nothing about other servers, so it prevents no forgery',
      recordWith(domain, terms, []),
    )
  if (terms.some((term) => /^[+?~-]?ptr(?::|$)/i.test(term)))
    return warning(
      says,
      'ptr is slow, and some receivers ignore it (RFC 7208 5.5: it should not be used)',
      recordWith(
        domain,
        terms.filter((term) => !/^[+?~-]?ptr(?::|$)/i.test(term)),
        [],
      ),
    )
  return fine(`${says}, ${stranger.lookups} of ${MAX_LOOKUPS} lookups`)
}
