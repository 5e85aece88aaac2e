/** A look at the way of our mail: the relay, and what the domain name system says of its senders. */
import { type Finding, notLookedAt, warning } from '../core/checkup/check.ts'
import { type DkimKey, dkimNameOf, judgeDkim } from '../core/checkup/dkim.ts'
import { judgeDmarc, organisationOf } from '../core/checkup/dmarc.ts'
import { type Lookup, recordsOf } from '../core/checkup/lookup.ts'
import { judgeRelay, type RelayTrial } from '../core/checkup/relay.ts'
import { judgeReverseNames, type ReverseName } from '../core/checkup/reverse-names.ts'
import { judgeSenderDomain } from '../core/checkup/sender-domain.ts'
import { judgeSpf, type Senders, type SpfVerdict } from '../core/checkup/spf.ts'
import { isPublicAddress, readIpAddress } from '../core/public-address.ts'
import type { SmtpServer } from '../core/sending/smtp-url.ts'

/** Where mail goes, and in whose name. */
export interface MailSubject {
  relay: SmtpServer
  /** Whether the relay is this machine, which then sends on by itself. */
  loopback: boolean
  /** Bare addresses. */
  from: string
  lettersFrom: string
  /** Where bounces return to; `null`: to the sender. */
  bounceDomain: string | null
  dkim: DkimKey | null
  /** What letters are signed with: the same key, at the same or another domain. */
  lettersDkim: DkimKey | null
  /** The addresses that mail leaves from, where an operator names them. */
  sendsFrom: string[]
  postalAddress: string | null
}

export interface MailPorts {
  now: () => Date
  lookup: Lookup
  evaluateSpf: (domain: string, address: string) => Promise<SpfVerdict>
  tryRelay: (relay: SmtpServer) => Promise<RelayTrial>
}

/** May throw; whoever asks for it makes a finding of that. */
export type Look = () => Promise<Finding>

/** RFC 5737: an address of nobody's. */
const NOBODY = '192.0.2.1'

/** The same promise for all who ask. */
export const once = <T>(work: () => Promise<T>): (() => Promise<T>) => {
  let under: Promise<T> | null = null
  return () => {
    under ??= work()
    return under
  }
}

const domainOf = (address: string): string => address.slice(address.indexOf('@') + 1).toLowerCase()

/** The looks at everything that mail passes through or speaks for it, by name. */
export const mailLooks = (mail: MailSubject, ports: MailPorts): [string, Look][] => {
  const { lookup, now } = ports
  const digests = domainOf(mail.from)
  const letters = domainOf(mail.lettersFrom)
  /** Both streams where they differ: the name of the check says which. */
  const streams = (name: string, ofDigests: string, ofLetters: string, look: (letters: boolean) => Look) => [
    [name, look(false)] as [string, Look],
    ...(ofDigests === ofLetters ? [] : [[`${name} of letters`, look(true)] as [string, Look]]),
  ]
  const senders = once(() => findSenders(mail, lookup))
  const domain = (name: string, use: string) => async () => {
    const [mx, a, aaaa] = await Promise.all([lookup(name, 'MX'), lookup(name, 'A'), lookup(name, 'AAAA')])
    return judgeSenderDomain(name, use, { mx, a, aaaa })
  }
  const { bounceDomain } = mail
  const signing = (ofLetters: boolean) => (ofLetters ? mail.lettersDkim : mail.dkim)
  const envelopeOf = (from: string) => bounceDomain ?? from
  return [
    ['relay', async () => judgeRelay(mail.relay, mail.loopback, await ports.tryRelay(mail.relay), now())],
    ...streams('sender', digests, letters, (ofLetters) =>
      ofLetters ? domain(letters, `answers to ${mail.lettersFrom}`) : domain(digests, `answers to ${mail.from}`),
    ),
    ...(bounceDomain === null ? [] : [['bounces', domain(bounceDomain, 'bounces and complaints')] as [string, Look]]),
    ...streams('spf', envelopeOf(digests), envelopeOf(letters), (ofLetters) => async () => {
      return lookAtSpf(envelopeOf(ofLetters ? letters : digests), await senders(), ports)
    }),
    ...streams('dkim', mail.dkim?.domain ?? '', mail.lettersDkim?.domain ?? '', (ofLetters) => () => {
      return lookAtDkim(signing(ofLetters), ofLetters ? letters : digests, lookup)
    }),
    ...streams('dmarc', digests, letters, (ofLetters) => async () => {
      const from = ofLetters ? letters : digests
      const [own, organisation] = await Promise.all([
        lookup(`_dmarc.${from}`, 'TXT'),
        lookup(`_dmarc.${organisationOf(from)}`, 'TXT'),
      ])
      const by = signing(ofLetters)?.domain ?? null
      return judgeDmarc({ from, own, organisation, envelope: envelopeOf(from), signing: by })
    }),
    ['ptr', async () => lookAtNames(await senders(), lookup)],
  ]
}

/** The addresses that mail leaves from: those that are named, or those of the relay that are not this machine's own. */
const findSenders = async (mail: MailSubject, lookup: Lookup): Promise<Senders> => {
  const { host } = mail.relay
  if (mail.sendsFrom.length > 0) return { relay: host, addresses: mail.sendsFrom, named: true }
  if (mail.loopback) return { relay: host, addresses: [], named: false }
  const addresses = readIpAddress(host) === null ? await addressesOf(host, lookup) : [host]
  return { relay: host, addresses: addresses.filter(isPublicAddress), named: false }
}

const addressesOf = async (host: string, lookup: Lookup): Promise<string[]> => {
  const answers = await Promise.all([lookup(host, 'A'), lookup(host, 'AAAA')])
  return answers.flatMap(recordsOf)
}

const UNKNOWN_SENDERS = (relay: string): string =>
  `the relay ${relay} shows no public address of its own; name those that mail leaves from with --sends-from`

const lookAtSpf = async (
  domain: string,
  senders: Senders,
  { lookup, evaluateSpf }: Pick<MailPorts, 'lookup' | 'evaluateSpf'>,
): Promise<Finding> => {
  const [records, stranger, ...results] = await Promise.all([
    lookup(domain, 'TXT'),
    evaluateSpf(domain, NOBODY),
    ...senders.addresses.map((address) => evaluateSpf(domain, address)),
  ])
  const finding = judgeSpf({ domain, records, results, stranger }, senders)
  if (finding.status !== 'ok' || senders.addresses.length > 0) return finding
  return warning(finding.found, `whether it lets us send is unknown: ${UNKNOWN_SENDERS(senders.relay)}`, '--sends-from')
}

const lookAtDkim = async (key: DkimKey | null, from: string, lookup: Lookup): Promise<Finding> => {
  if (key !== null) return judgeDkim(key, await lookup(dkimNameOf(key), 'TXT'))
  return warning(
    'we do not sign',
    'large mailbox providers refuse or file away mail without DKIM, so it depends on what the relay signs',
    `DKIM_DOMAIN=${from}, DKIM_SELECTOR=<a name> and DKIM_PRIVATE_KEY=<the path of what openssl genrsa -out dkim.pem 2048 makes>; this look then says what record to publish. Or let the relay sign for ${from}`,
  )
}

const lookAtNames = async ({ relay, addresses, named }: Senders, lookup: Lookup): Promise<Finding> => {
  if (addresses.length === 0) return notLookedAt(UNKNOWN_SENDERS(relay))
  const reverse = addresses.map(async (address): Promise<ReverseName> => {
    const names = await lookup(address, 'PTR')
    const leadBack: string[] = []
    for (const name of recordsOf(names)) {
      const back = await addressesOf(name, lookup)
      if (back.some((one) => readIpAddress(one) === readIpAddress(address))) leadBack.push(name)
    }
    return { address, names, leadBack }
  })
  return judgeReverseNames(await Promise.all(reverse), named)
}
