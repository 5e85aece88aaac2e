/** The checks of what our mail passes through: the relay, and the DNS records of its senders. */
import { type Finding, notChecked, warning } from '../core/checkup/check.ts'
import { checkDkim, type DkimPublicKey, dkimNameOf } from '../core/checkup/dkim.ts'
import { checkDmarc, organisationOf } from '../core/checkup/dmarc.ts'
import { type Lookup, recordsOf } from '../core/checkup/lookup.ts'
import { checkRelay, type RelayVisit, type ThrottledRelay } from '../core/checkup/relay.ts'
import { checkReverseNames, type ReverseName } from '../core/checkup/reverse-names.ts'
import { checkSenderDomain } from '../core/checkup/sender-domain.ts'
import { checkSpf, type Senders, type SpfEvaluation } from '../core/checkup/spf.ts'
import { isPublicAddress, readIpAddress } from '../core/public-address.ts'
import type { SmtpServer } from '../core/sending/smtp-url.ts'

/** Where mail is sent, and from which domains. */
export interface MailSubject {
  relay: SmtpServer
  /** Whether the relay is on this machine, which then sends on by itself. */
  loopback: boolean
  /** Bare addresses. */
  from: string
  lettersFrom: string
  /** The domain of the envelope senders; `null`: bounces go to the sender. */
  bounceDomain: string | null
  dkim: DkimPublicKey | null
  /** What letters are signed with: the same key, at the same or another domain. */
  lettersDkim: DkimPublicKey | null
  /** The IP addresses that mail leaves from, where an operator names them. */
  sendsFrom: string[]
  postalAddress: string | null
}

export interface MailPorts {
  now: () => Date
  lookup: Lookup
  evaluateSpf: (domain: string, address: string) => Promise<SpfEvaluation>
  visitRelay: (relay: SmtpServer) => Promise<RelayVisit>
  /** What mailers last found out of a relay that takes less of our mail than it is given, or none; `null` where it takes all. */
  readThrottledRelay: (relay: SmtpServer) => Promise<ThrottledRelay | null>
}

/** One check; where it rejects, the caller makes a finding of that. */
export type RunCheck = () => Promise<Finding>

/** Reserved for documentation (RFC 5737): no server has it. */
const UNUSED_ADDRESS = '192.0.2.1'

/** A function that works once and returns the same promise to every caller. */
export const once = <T>(work: () => Promise<T>): (() => Promise<T>) => {
  let result: Promise<T> | null = null
  return () => {
    result ??= work()
    return result
  }
}

const domainOf = (address: string): string => address.slice(address.indexOf('@') + 1).toLowerCase()

/** The checks of relay, sender domains, SPF, DKIM, DMARC and reverse names, by name. */
export const mailChecks = (mail: MailSubject, ports: MailPorts): [string, RunCheck][] => {
  const { lookup, now } = ports
  const digests = domainOf(mail.from)
  const letters = domainOf(mail.lettersFrom)
  /** One check of digests and, where letters differ, one of letters, whose name says so. */
  const streams = (name: string, ofDigests: string, ofLetters: string, check: (letters: boolean) => RunCheck) => [
    [name, check(false)] as [string, RunCheck],
    ...(ofDigests === ofLetters ? [] : [[`${name} of letters`, check(true)] as [string, RunCheck]]),
  ]
  const senders = once(() => findSenders(mail, lookup))
  const domain = (name: string, use: string) => async () => {
    const [mx, a, aaaa] = await Promise.all([lookup(name, 'MX'), lookup(name, 'A'), lookup(name, 'AAAA')])
    return checkSenderDomain(name, use, { mx, a, aaaa })
  }
  const { bounceDomain } = mail
  const signing = (ofLetters: boolean) => (ofLetters ? mail.lettersDkim : mail.dkim)
  const envelopeOf = (from: string) => bounceDomain ?? from
  return [
    [
      'relay',
      async () => {
        const visit = await ports.visitRelay(mail.relay)
        const throttled = visit.failed === null ? await ports.readThrottledRelay(mail.relay) : null
        return checkRelay(mail.relay, mail.loopback, visit, throttled, now())
      },
    ],
    ...streams('sender', digests, letters, (ofLetters) =>
      ofLetters ? domain(letters, `replies to ${mail.lettersFrom}`) : domain(digests, `replies to ${mail.from}`),
    ),
    ...(bounceDomain === null
      ? []
      : [['bounces', domain(bounceDomain, 'bounces and complaints')] as [string, RunCheck]]),
    ...streams('spf', envelopeOf(digests), envelopeOf(letters), (ofLetters) => async () => {
      return runSpfCheck(envelopeOf(ofLetters ? letters : digests), await senders(), ports)
    }),
    ...streams('dkim', mail.dkim?.domain ?? '', mail.lettersDkim?.domain ?? '', (ofLetters) => () => {
      return runDkimCheck(signing(ofLetters), ofLetters ? letters : digests, lookup)
    }),
    ...streams('dmarc', digests, letters, (ofLetters) => async () => {
      const from = ofLetters ? letters : digests
      const [own, organisation] = await Promise.all([
        lookup(`_dmarc.${from}`, 'TXT'),
        lookup(`_dmarc.${organisationOf(from)}`, 'TXT'),
      ])
      const by = signing(ofLetters)?.domain ?? null
      return checkDmarc({ from, own, organisation, envelope: envelopeOf(from), signing: by })
    }),
    ['ptr', async () => runReverseNameCheck(await senders(), lookup)],
  ]
}

/** The addresses that mail leaves from: those that an operator names, or the relay's public ones. */
const findSenders = async (mail: MailSubject, lookup: Lookup): Promise<Senders> => {
  const { host } = mail.relay
  if (mail.sendsFrom.length > 0) return { relay: host, addresses: mail.sendsFrom, named: true }
  if (mail.loopback) return { relay: host, addresses: [], named: false }
  const addresses = readIpAddress(host) === null ? await addressesOf(host, lookup) : [host]
  return { relay: host, addresses: addresses.filter(isPublicAddress), named: false }
}

const addressesOf = async (host: string, lookup: Lookup): Promise<string[]> => {
  const results = await Promise.all([lookup(host, 'A'), lookup(host, 'AAAA')])
  return results.flatMap(recordsOf)
}

const UNKNOWN_SENDERS = (relay: string): string =>
  `the relay ${relay} shows no public address of its own; name those that mail leaves from with --sends-from`

const runSpfCheck = async (
  domain: string,
  senders: Senders,
  { lookup, evaluateSpf }: Pick<MailPorts, 'lookup' | 'evaluateSpf'>,
): Promise<Finding> => {
  const [records, stranger, ...results] = await Promise.all([
    lookup(domain, 'TXT'),
    evaluateSpf(domain, UNUSED_ADDRESS),
    ...senders.addresses.map((address) => evaluateSpf(domain, address)),
  ])
  const finding = checkSpf({ domain, records, results, stranger }, senders)
  if (finding.status !== 'ok' || senders.addresses.length > 0) return finding
  return warning(
    finding.found,
    `whether it authorises us is unknown: ${UNKNOWN_SENDERS(senders.relay)}`,
    '--sends-from',
  )
}

const runDkimCheck = async (key: DkimPublicKey | null, from: string, lookup: Lookup): Promise<Finding> => {
  if (key !== null) return checkDkim(key, await lookup(dkimNameOf(key), 'TXT'))
  return warning(
    'we do not sign',
    'large mailbox providers refuse mail without DKIM or treat it as spam, so all depends on whether the relay signs',
    `DKIM_DOMAIN=${from}, DKIM_SELECTOR=<a name> and DKIM_PRIVATE_KEY=<the path of what openssl genrsa -out dkim.pem 2048 makes>; this check then says which record to publish. Or let the relay sign for ${from}`,
  )
}

const runReverseNameCheck = async ({ relay, addresses, named }: Senders, lookup: Lookup): Promise<Finding> => {
  if (addresses.length === 0) return notChecked(UNKNOWN_SENDERS(relay))
  const reverse = addresses.map(async (address): Promise<ReverseName> => {
    const names = await lookup(address, 'PTR')
    const confirmed: string[] = []
    for (const name of recordsOf(names)) {
      const back = await addressesOf(name, lookup)
      if (back.some((one) => readIpAddress(one) === readIpAddress(address))) confirmed.push(name)
    }
    return { address, names, confirmed }
  })
  return checkReverseNames(await Promise.all(reverse), named)
}
