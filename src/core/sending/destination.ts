/** The destination of a mail, for which rates are limited: the recipient's domain, or the provider's family of domains. */

/** Domains of one provider, whose limits count mail to all of them together. The first is the family's name. */
const FAMILIES: readonly (readonly [string, ...string[]])[] = [
  ['gmail.com', 'googlemail.com'],
  ['outlook.com', 'hotmail.com', 'live.com', 'msn.com'],
  ['yahoo.com', 'ymail.com', 'rocketmail.com'],
  ['icloud.com', 'me.com', 'mac.com'],
]

export interface Destination {
  /** The first domain of the family, or the domain itself. */
  name: string
  /** Lower-case. */
  domains: readonly string[]
}

const FAMILY_OF = new Map<string, Destination>(
  FAMILIES.flatMap((domains) => domains.map((domain) => [domain, { name: domains[0], domains }] as const)),
)

/** The destination that a domain belongs to, whatever its case. */
export const destinationOfDomain = (domain: string): Destination => {
  const lower = domain.toLowerCase()
  return FAMILY_OF.get(lower) ?? { name: lower, domains: [lower] }
}

/** The destination of an email address: what follows its last `@`. */
export const destinationOf = (email: string): Destination =>
  destinationOfDomain(email.slice(email.lastIndexOf('@') + 1))
