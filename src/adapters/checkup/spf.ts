/** Evaluates SPF as a receiver does (RFC 7208), by mailauth. */
import type { Lookup, RecordTypes } from '../../core/checkup/lookup.ts'
import type { SpfEvaluation, SpfResult } from '../../core/checkup/spf.ts'

const RESULTS: readonly string[] = ['pass', 'fail', 'softfail', 'neutral', 'none', 'permerror', 'temperror']
const isResult = (text: string): text is SpfResult => RESULTS.includes(text)

/** Evaluates the SPF record of a domain for mail from an IP address. Throws where mailauth gives an unknown result. */
export const evaluateSpf = async (lookup: Lookup, domain: string, address: string): Promise<SpfEvaluation> => {
  // Loaded here: it takes a while, and only one command needs it.
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

/** Resolves as mailauth expects it, like Node's resolver: records, or an error with its code. */
const resolve = async (lookup: Lookup, name: string, type: string) => {
  if (!isType(type)) throw new Error(`SPF asks for ${type}`)
  const result = await lookup(name, type)
  // Its type for the resolver lacks MX.
  if (result.kind === 'records') return result.records as string[]
  const code = result.kind === 'none' ? 'ENODATA' : 'ETIMEOUT'
  throw Object.assign(new Error(result.kind === 'none' ? 'no record' : result.reason), { code })
}
