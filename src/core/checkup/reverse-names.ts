/** Whether the addresses that mail leaves from have names, and the names lead back to them (RFC 1912 2.1). */
import { type Finding, fault, fine, warning } from './check.ts'
import { type Answer, unanswered } from './lookup.ts'

export interface ReverseName {
  address: string
  /** What PTR says. */
  names: Answer<string>
  /** Those of the names that lead back to the address. */
  leadBack: string[]
}

/** `named`: the operator says that our mail leaves from there; else it is where the relay takes mail. */
export const judgeReverseNames = (reverse: ReverseName[], named: boolean): Finding => {
  const silent = reverse.find(({ names }) => names.kind === 'silent')
  if (silent?.names.kind === 'silent') return unanswered(silent.address, silent.names.reason)
  const found = reverse
    .map(
      ({ address, names }) => `${address} is ${names.kind === 'records' ? names.records.join(', ') : 'without a name'}`,
    )
    .join('; ')
  const bad = reverse.filter(({ leadBack }) => leadBack.length === 0).map(({ address }) => address)
  if (bad.length === 0) return fine(found)
  const mend = `ask whoever provides ${bad.join(', ')} for a PTR record with a full name, and give this name A or AAAA records that lead back`
  const wrong = `${bad.join(', ')}: no name that leads back; large mailbox providers refuse mail from there`
  return named
    ? fault(found, wrong, mend)
    : warning(found, `${wrong}, unless the relay sends on from others (name them with --sends-from)`, mend)
}
