/** Checks that replies, bounces and complaints can reach the domain of a sender. */
import { type Finding, fault, fine } from './check.ts'
import { type LookupResult, lookupFailed, type RecordTypes, recordsOf } from './lookup.ts'

export interface DomainRecords {
  mx: LookupResult<RecordTypes['MX']>
  a: LookupResult<string>
  aaaa: LookupResult<string>
}

/**
 * Whether mail to a domain would arrive: by its MX, or, without one, at its address (RFC 5321 5.1). `use`: the mail that
 * is sent there, such as `replies to round@example.org`.
 */
export const checkSenderDomain = (domain: string, use: string, { mx, a, aaaa }: DomainRecords): Finding => {
  const exchanges = recordsOf(mx).toSorted((one, other) => one.priority - other.priority)
  if (exchanges.some(({ exchange }) => exchange === '' || exchange === '.'))
    // RFC 7505: a null MX says that the domain takes no mail, and some servers refuse mail from it.
    return fault(
      `MX 0 . at ${domain}`,
      `the domain says that it takes no mail: ${use} are lost, and some servers refuse mail from it`,
      `${domain}. IN MX 10 <the server that takes its mail>.`,
    )
  if (exchanges.length > 0) return fine(`MX ${exchanges.map(({ exchange }) => exchange).join(', ')}`)
  const failed = [mx, a, aaaa].find((result) => result.kind === 'failed')
  if (failed?.kind === 'failed') return lookupFailed(domain, failed.reason)
  const addresses = [...recordsOf(a), ...recordsOf(aaaa)]
  if (addresses.length > 0) return fine(`no MX; mail goes to the address ${addresses.join(', ')}`)
  return fault(
    `neither MX nor address at ${domain}`,
    `the domain takes no mail: ${use} are lost, and many servers refuse mail from a domain that cannot be answered`,
    `${domain}. IN MX 10 <the server that takes its mail>.`,
  )
}
