/** Checks DMARC (RFC 7489): the policy of the domain in `From`, and whether SPF or DKIM is aligned with that domain. */
import { getDomain } from 'tldts'
import { type Finding, fault, fine, warning } from './check.ts'
import { type LookupResult, lookupFailed, recordsOf, txtRecord } from './lookup.ts'
import { readTagList } from './tag-list.ts'

/** The organisational domain of a domain, by the list of public suffixes (RFC 7489 3.2); itself where it has none. */
export const organisationOf = (domain: string): string => getDomain(domain, { allowPrivateDomains: true }) ?? domain

/** Whether an authenticated domain is aligned with the domain in `From` (RFC 7489 3.1): strictly, or by organisation. */
export const isAligned = (from: string, authenticated: string, strict: boolean): boolean =>
  strict ? from === authenticated : organisationOf(from) === organisationOf(authenticated)

export interface DmarcFacts {
  /** The domain in `From`. */
  from: string
  /** TXT at `_dmarc` of that domain, and of its organisation, which counts where the first has none. */
  own: LookupResult<string[]>
  organisation: LookupResult<string[]>
  /** The domain of the envelope's sender. */
  envelope: string
  /** The domain that signs; `null` when we do not sign. */
  signing: string | null
}

const policiesOf = (result: LookupResult<string[]>): string[] =>
  recordsOf(result)
    .map((strings) => strings.join('').trim())
    .filter((text) => /^v=DMARC1\s*(?:;|$)/i.test(text))

export const checkDmarc = (facts: DmarcFacts): Finding => {
  const { from, own, organisation } = facts
  const home = organisationOf(from)
  const wanted = txtRecord(`_dmarc.${home}`, `v=DMARC1; p=none; rua=mailto:dmarc@${home}`)
  if (own.kind === 'failed') return lookupFailed(`_dmarc.${from}`, own.reason)
  const ofOwn = policiesOf(own)
  if (ofOwn.length === 0 && organisation.kind === 'failed') return lookupFailed(`_dmarc.${home}`, organisation.reason)
  const policies = ofOwn.length > 0 ? ofOwn : policiesOf(organisation)
  const where = ofOwn.length > 0 ? `_dmarc.${from}` : `_dmarc.${home}`
  const [policy] = policies
  if (policy === undefined)
    return fault(
      `no policy at _dmarc.${home}`,
      'large mailbox providers refuse mail without one or treat it as spam',
      wanted,
    )
  if (policies.length > 1)
    return fault(
      `${policies.length} policies at ${where}: ${policies.map((text) => JSON.stringify(text)).join(' and ')}`,
      'receivers use none of several policies (RFC 7489 6.6.3)',
      `remove all but one: ${txtRecord(where, policy)}`,
    )
  const tags = readTagList(policy)
  const asked = tags?.get('p')?.toLowerCase()
  if (tags === null || asked === undefined || !['none', 'quarantine', 'reject'].includes(asked))
    return fault(
      `${JSON.stringify(policy)} at ${where}`,
      'it cannot be read: p must be none, quarantine or reject, and each tag may stand once only',
      wanted.replace(`_dmarc.${home}.`, `${where}.`),
    )
  return checkAlignment(facts, tags, `${JSON.stringify(policy)} at ${where}`)
}

const checkAlignment = (facts: DmarcFacts, tags: Map<string, string>, found: string): Finding => {
  const { from, envelope, signing } = facts
  const strictly = (tag: string): boolean => tags.get(tag)?.toLowerCase() === 's'
  const bySpf = isAligned(from, envelope, strictly('aspf'))
  const byDkim = signing !== null && isAligned(from, signing, strictly('adkim'))
  const says = `${found}; From is at ${from}, SPF speaks for ${envelope}, DKIM for ${signing ?? 'whomever the relay signs for'}`
  if (!bySpf && !byDkim)
    return fault(
      says,
      `neither speaks for ${from}, so no mail of ours passes DMARC`,
      `set DKIM_DOMAIN=${from} with its key, or a sender whose domain is that of the signature`,
    )
  if (!byDkim)
    return warning(
      says,
      'DMARC hangs on SPF alone, which a forwarded mail fails',
      signing === null
        ? `set DKIM_DOMAIN=${from}, DKIM_SELECTOR and DKIM_PRIVATE_KEY, or see that the relay signs with d=${from}`
        : `set DKIM_DOMAIN=${from} with its key`,
    )
  return fine(says)
}
