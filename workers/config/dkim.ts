/** The settings of DKIM: all three or none; letters may have a signing domain of their own, at which the same key is published. */
import { readFileSync } from 'node:fs'
import { getDomain } from 'tldts'
import { readDkimKey, type SigningKey } from '../../src/adapters/smtp/dkim.ts'
import type { SenderConfig } from './senders.ts'
import type { Settings } from './settings.ts'

export interface DkimConfig {
  /** `null`: mails leave unsigned, for the relay to sign. */
  dkim: SigningKey | null
  /** For letters: the same key at their own domain where that is set, or else the same as `dkim`. */
  lettersDkim: SigningKey | null
}

const NAMES = ['DKIM_DOMAIN', 'DKIM_SELECTOR', 'DKIM_PRIVATE_KEY'] as const
/** Labels of a host name, without a dot at the end. */
const LABELS = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i

/** The key is never repeated in a fault, and neither is what might be one. */
export const readDkim = (
  { get, read, fault }: Settings,
  { mailFrom, lettersFrom }: Pick<SenderConfig, 'mailFrom' | 'lettersFrom'>,
): DkimConfig => {
  const separate = get('LETTERS_DKIM_DOMAIN') !== null
  const missing = NAMES.filter((name) => get(name) === null)
  if (missing.length === NAMES.length && !separate) return { dkim: null, lettersDkim: null }
  for (const name of missing) fault(name, `needed with the other settings of DKIM; set ${NAMES.join(', ')}, or none`)
  const domain = read('DKIM_DOMAIN', null, (text) =>
    readDomain(text, { MAIL_FROM: mailFrom, ...(separate ? {} : { LETTERS_FROM: lettersFrom }) }),
  )
  const lettersDomain = read('LETTERS_DKIM_DOMAIN', domain, (text) => {
    if (lettersFrom.address === mailFrom.address) throw new Error('goes with LETTERS_FROM, an address of their own')
    return readDomain(text, { LETTERS_FROM: lettersFrom })
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

/** DMARC counts a signature when its domain and the sender's have the same registrable domain (RFC 7489 3.1.1). */
const readDomain = (text: string, senders: Record<string, { address: string }>): string => {
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
