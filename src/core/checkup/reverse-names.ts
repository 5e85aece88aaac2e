/** Checks that the addresses that mail leaves from have reverse names that resolve to them (RFC 1912 2.1). */
import { type Finding, fault, fine, warning } from './check.ts'
import { type LookupResult, lookupFailed } from './lookup.ts'

export interface ReverseName {
  address: string
  /** Of its PTR records. */
  names: LookupResult<string>
  /** Those of the names that resolve to the address. */
  confirmed: string[]
}

/** `named`: the operator says that our mail leaves from there; otherwise it is where the relay receives mail. */
export const checkReverseNames = (reverse: ReverseName[], named: boolean): Finding => {
  const failed = reverse.find(({ names }) => names.kind === 'failed')
  if (failed?.names.kind === 'failed') return lookupFailed(failed.address, failed.names.reason)
  const found = reverse
    .map(
      ({ address, names }) => `${address} is ${names.kind === 'records' ? names.records.join(', ') : 'without a name'}`,
    )
    .join('; ')
  const bad = reverse.filter(({ confirmed }) => confirmed.length === 0).map(({ address }) => address)
  if (bad.length === 0) return fine(found)
  const mend = `ask the provider of ${bad.join(', ')} for a PTR record with a full name, and give this name A or AAAA records that resolve to it`
  const wrong = `${bad.join(', ')}: no name that resolves to it; large mailbox providers refuse mail from there`
  return named
    ? fault(found, wrong, mend)
    : warning(found, `${wrong}, unless the relay sends on from others (name them with --sends-from)`, mend)
}
