/** Typing errors in the domain of an address: which address is likely meant. Only a question: the typed one may be right. */
import { parse } from 'tldts'
import { errorsBetween } from '../text/typing-errors.ts'

/** Providers that millions write to, by the name of their domain, and where they have mailboxes. */
const PROVIDERS: Record<string, { endings: readonly string[]; anyOther: boolean }> = {
  gmail: { endings: ['com'], anyOther: false },
  googlemail: { endings: ['com'], anyOther: false },
  icloud: { endings: ['com'], anyOther: false },
  protonmail: { endings: ['com', 'ch'], anyOther: false },
  fastmail: { endings: ['com', 'fm'], anyOther: true },
  hotmail: { endings: ['com'], anyOther: true },
  outlook: { endings: ['com'], anyOther: true },
  yahoo: { endings: ['com'], anyOther: true },
}

/** Domains of their own, though a provider's name is one letter away. */
const OTHERS = new Set(['mail', 'email', 'ymail', 'cloud', 'hotmall'])

/** Ends of domains that exist, and after a provider's name are what is left of `com`. */
const NEARLY_COM = new Set(['co', 'cm', 'om', 'cam', 'bom'])
/** What an end that does not exist is compared with, the commonest first. */
const COMMON_ENDS = ['com', 'org', 'net', 'edu', 'gov']
/** RFC 2606 and RFC 6762, and what private networks use: nobody means another one. */
const PRIVATE_ENDS = new Set(['test', 'example', 'invalid', 'localhost', 'local', 'lan', 'home', 'corp', 'internal'])
/** Two errors are one too many in a shorter name. */
const LONG_NAME = 7

/** The end of a domain that does not exist, as it was likely meant. */
const likelyEnd = (end: string): string | null => {
  if (PRIVATE_ENDS.has(end)) return null
  return COMMON_ENDS.find((common) => errorsBetween(end, common) === 1) ?? null
}

const likelyName = (name: string): string | null => {
  if (name in PROVIDERS || OTHERS.has(name)) return name
  const near = (most: number) => Object.keys(PROVIDERS).find((provider) => errorsBetween(name, provider) <= most)
  return near(1) ?? (name.length >= LONG_NAME ? near(2) : undefined) ?? null
}

const likelyDomain = (domain: string): string | null => {
  const known = parse(domain, { allowPrivateDomains: false })
  const typed = known.publicSuffix ?? ''
  const end = known.isIcann === true ? typed : likelyEnd(typed)
  if (end === null || typed === '') return null
  const corrected = domain.slice(0, -typed.length) + end
  const name = known.subdomain === '' ? likelyName(known.domainWithoutSuffix ?? '') : null
  const provider = PROVIDERS[name ?? '']
  if (provider === undefined) return corrected
  const isTheirs = provider.endings.includes(end) || (provider.anyOther && !NEARLY_COM.has(end))
  return `${name}.${isTheirs ? end : provider.endings[0]}`
}

/**
 * The address that was likely meant by one (its domain in lower case), such as `ada@gmail.com` for `ada@gmial.com`; `null`
 * where nothing looks like an error. At most two single errors in the name of a common provider, and one in an end of a
 * domain that does not exist.
 */
export const likelyAddress = (address: string): string | null => {
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1)
  const likely = likelyDomain(domain)
  return likely === null || likely === domain ? null : `${address.slice(0, at)}@${likely}`
}
