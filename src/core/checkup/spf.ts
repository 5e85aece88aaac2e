/** SPF (RFC 7208): whether the domain of the envelope's sender lets the servers send that our mail leaves from. */
import { type Finding, fault, fine, warning } from './check.ts'
import { organisationOf } from './dmarc.ts'
import { type Answer, recordsOf, txtRecord, unanswered } from './lookup.ts'

export type SpfResult = 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'permerror' | 'temperror'

/** How a receiver would judge mail from one address. */
export interface SpfVerdict {
  address: string
  result: SpfResult
  /** What went wrong with an error, such as `Too many DNS requests`. */
  reason: string
  /** Lookups that the evaluation took. */
  lookups: number
}

/** Those who send for us. */
export interface Senders {
  /** The host of SMTP_URL. */
  relay: string
  addresses: string[]
  /** Whether an operator named the addresses; else they are those at which the relay takes mail. */
  named: boolean
}

export interface SpfFacts {
  domain: string
  records: Answer<string[]>
  results: SpfVerdict[]
  /** The verdict on an address that is nobody's: every mechanism is looked at for it. */
  stranger: SpfVerdict
}

/** RFC 7208 4.6.4. */
export const MOST_LOOKUPS = 10

/** What relays that many use ask to be included, by the organisation that their host belongs to. */
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

/** The terms that would let these senders send. */
const termsFor = ({ relay, addresses, named }: Senders): string[] => {
  const organisation = organisationOf(relay)
  const include = Object.hasOwn(INCLUDES, organisation) ? INCLUDES[organisation] : undefined
  if (include !== undefined && !named) return [`include:${include}`]
  if (addresses.length === 0) return ['ip4:<the address that our mail leaves from>']
  return addresses.map((address) => `${address.includes(':') ? 'ip6' : 'ip4'}:${address}`)
}

/** A record with more terms before its end, which is `~all` where it had none or let everybody send. */
const recordWith = (domain: string, terms: string[], more: string[]): string => {
  const end = terms.find(isAll)
  const kept = terms.filter((term) => !isAll(term) && !/^redirect=/i.test(term))
  const redirect = end === undefined ? terms.filter((term) => /^redirect=/i.test(term)) : []
  const last = redirect.length > 0 ? redirect : [end === undefined || /^[+?]?all$/i.test(end) ? '~all' : end]
  return txtRecord(domain, ['v=spf1', ...new Set([...kept, ...more, ...last])].join(' '))
}

/** Whether a record includes the list of the relay's own organisation, or of the one known to belong to it. */
const includesRelay = (terms: string[], { relay }: Senders): boolean => {
  const home = organisationOf(relay)
  const lists = new Set([home, organisationOf((Object.hasOwn(INCLUDES, home) ? INCLUDES[home] : undefined) ?? home)])
  return terms.some((term) => {
    const target = /^(?:\+?include:|redirect=)(\S+)$/i.exec(term)?.[1]?.toLowerCase()
    return target !== undefined && lists.has(organisationOf(target))
  })
}

export const judgeSpf = ({ domain, records, results, stranger }: SpfFacts, senders: Senders): Finding => {
  if (records.kind === 'silent') return unanswered(domain, records.reason)
  const found = recordsOf(records)
    .map((strings) => strings.join(''))
    .filter(isRecord)
  const [record] = found
  if (record === undefined)
    return fault(
      `no SPF record at ${domain}`,
      'nobody is named who may send for this domain, and large mailbox providers refuse mail without SPF',
      recordWith(domain, [], termsFor(senders)),
    )
  const all = [...new Set(found.flatMap(termsOf))]
  if (found.length > 1)
    return fault(
      `${found.length} SPF records at ${domain}: ${found.map((text) => JSON.stringify(text)).join(' and ')}`,
      'of several none counts (RFC 7208 4.5)',
      `put one in place of them: ${recordWith(domain, all, [])}`,
    )
  const says = `${JSON.stringify(record)} at ${domain}`
  if (stranger.result === 'temperror') return unanswered(`what ${says} includes`, stranger.reason)
  if (stranger.result === 'permerror')
    return fault(
      `${says}: ${stranger.reason}`,
      `receivers stop with an error: a record may take ${MOST_LOOKUPS} lookups, two of them for names without an answer, and must be written without a slip`,
      stranger.lookups > MOST_LOOKUPS
        ? `take out what no longer sends for ${domain}, or name addresses (ip4:, ip6:) instead of include:, a, mx and exists:`
        : `correct or take out the term that the error names; with nothing but our senders it is ${recordWith(domain, [], termsFor(senders))}`,
    )
  if (stranger.result === 'pass')
    return fault(says, 'it lets everybody send for this domain', recordWith(domain, all, termsFor(senders)))
  return judgeSenders(domain, says, all, results, senders) ?? judgeEnd(domain, says, all, stranger)
}

/** What is wrong with how our senders are judged; `null` where nothing is. */
const judgeSenders = (
  domain: string,
  says: string,
  terms: string[],
  results: SpfVerdict[],
  senders: Senders,
): Finding | null => {
  const refused = results.filter(({ result }) => result !== 'pass').map(({ address }) => address)
  if (refused.length === 0 || (!senders.named && includesRelay(terms, senders))) return null
  const mend = recordWith(domain, terms, termsFor({ ...senders, addresses: refused }))
  if (senders.named) return fault(says, `it does not let ${refused.join(', ')} send, from where our mail leaves`, mend)
  const wrong = `it does not let ${senders.relay} (${refused.join(', ')}) send`
  // A list of somebody's may hold the addresses from which the relay sends on; addresses alone hold none.
  const mayBeInList = terms.some((term) => /^\+?(?:include|exists|redirect)[:=]/i.test(term))
  const isKnown = Object.hasOwn(INCLUDES, organisationOf(senders.relay))
  return mayBeInList && !isKnown
    ? warning(says, `${wrong}; where it sends on from other addresses, name them with --sends-from`, mend)
    : fault(says, wrong, mend)
}

const judgeEnd = (domain: string, says: string, terms: string[], stranger: SpfVerdict): Finding => {
  if (stranger.result === 'neutral')
    return warning(
      says,
      'it says nothing of all others, so it keeps nobody from forging',
      recordWith(domain, terms, []),
    )
  if (terms.some((term) => /^[+?~-]?ptr(?::|$)/i.test(term)))
    return warning(
      says,
      'ptr is slow, and some receivers do not follow it (RFC 7208 5.5: it should not be used)',
      recordWith(
        domain,
        terms.filter((term) => !/^[+?~-]?ptr(?::|$)/i.test(term)),
        [],
      ),
    )
  return fine(`${says}, ${stranger.lookups} of ${MOST_LOOKUPS} lookups`)
}
