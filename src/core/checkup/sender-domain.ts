/** Whether answers, bounces and complaints can reach a domain that stands behind our mail. */
import { type Finding, fault, fine } from './check.ts'
import { type Answer, type RecordTypes, recordsOf, unanswered } from './lookup.ts'

export interface DomainRecords {
  mx: Answer<RecordTypes['MX']>
  a: Answer<string>
  aaaa: Answer<string>
}

/**
 * Judges whether mail to a domain would arrive: by its MX, or, without one, at its address (RFC 5321 5.1). `use` says
 * what comes back there, such as `answers to round@example.org`.
 */
export const judgeSenderDomain = (domain: string, use: string, { mx, a, aaaa }: DomainRecords): Finding => {
  const exchanges = recordsOf(mx).toSorted((one, other) => one.priority - other.priority)
  if (exchanges.some(({ exchange }) => exchange === '' || exchange === '.'))
    // RFC 7505: the domain says of itself that it takes no mail, and some servers refuse mail that comes from it.
    return fault(
      `MX 0 . at ${domain}`,
      `the domain says that it takes no mail: ${use} are lost, and some servers refuse mail from it`,
      `${domain}. IN MX 10 <the server that takes its mail>.`,
    )
  if (exchanges.length > 0) return fine(`MX ${exchanges.map(({ exchange }) => exchange).join(', ')}`)
  const silent = [mx, a, aaaa].find((answer) => answer.kind === 'silent')
  if (silent?.kind === 'silent') return unanswered(domain, silent.reason)
  const addresses = [...recordsOf(a), ...recordsOf(aaaa)]
  if (addresses.length > 0) return fine(`no MX; the address ${addresses.join(', ')} stands in for it`)
  return fault(
    `neither MX nor address at ${domain}`,
    `the domain takes no mail: ${use} are lost, and many servers refuse mail from a domain that cannot be answered`,
    `${domain}. IN MX 10 <the server that takes its mail>.`,
  )
}
