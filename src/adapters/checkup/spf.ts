/** How a receiver would judge our mail by SPF: mailauth evaluates the records, as RFC 7208 has it. */
import type { Lookup, RecordTypes } from '../../core/checkup/lookup.ts'
import type { SpfResult, SpfVerdict } from '../../core/checkup/spf.ts'

const RESULTS: readonly string[] = ['pass', 'fail', 'softfail', 'neutral', 'none', 'permerror', 'temperror']
const isResult = (text: string): text is SpfResult => RESULTS.includes(text)

/** The verdict on mail from a domain that comes from an address. */
export const evaluateSpf = async (lookup: Lookup, domain: string, address: string): Promise<SpfVerdict> => {
  // It takes a while to load, and one command alone needs it.
  const { spf } = await import('mailauth/lib/spf/index.js')
  const { status, lookups } = await spf({
    sender: `postmaster@${domain}`,
    ip: address,
    helo: domain,
    mta: 'receiver',
    resolver: (name, type) => resolve(lookup, name, type),
  })
  if (!isResult(status.result)) throw new Error(`SPF has no result ${status.result}`)
  const reason = /during lookup of \S+?: (.*)$/.exec(String(status.comment ?? ''))?.[1] ?? ''
  return { address, result: status.result, reason, lookups: lookups?.count ?? 0 }
}

const isType = (type: string): type is keyof RecordTypes => ['A', 'AAAA', 'MX', 'TXT', 'PTR'].includes(type)

/** mailauth expects what Node's resolver does: records, or an error with its code. */
const resolve = async (lookup: Lookup, name: string, type: string) => {
  if (!isType(type)) throw new Error(`SPF asks for ${type}`)
  const answer = await lookup(name, type)
  // The type that it gives its resolver forgets MX.
  if (answer.kind === 'records') return answer.records as string[]
  const code = answer.kind === 'none' ? 'ENODATA' : 'ETIMEOUT'
  throw Object.assign(new Error(answer.kind === 'none' ? 'no record' : answer.reason), { code })
}
