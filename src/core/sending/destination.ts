/** Where a mail goes, as far as manners are concerned: the recipient's domain, or the family whose servers serve it. */

/** Domains of one provider, which count what they are sent together. The first is the family's name. */
const FAMILIES: readonly (readonly [string, ...string[]])[] = [
  ['gmail.com', 'googlemail.com'],
  ['outlook.com', 'hotmail.com', 'live.com', 'msn.com'],
  ['yahoo.com', 'ymail.com', 'rocketmail.com'],
  ['icloud.com', 'me.com', 'mac.com'],
]

export interface Destination {
  name: string
  /** Lower-case, as they stand in addresses. */
  domains: readonly string[]
}

const FAMILY_OF = new Map<string, Destination>(
  FAMILIES.flatMap((domains) => domains.map((domain) => [domain, { name: domains[0], domains }] as const)),
)

/** The destination that a domain belongs to. */
export const destinationOfDomain = (domain: string): Destination => {
  const lower = domain.toLowerCase()
  return FAMILY_OF.get(lower) ?? { name: lower, domains: [lower] }
}

/** The destination of an address. */
export const destinationOf = (email: string): Destination =>
  destinationOfDomain(email.slice(email.lastIndexOf('@') + 1))
