/**
 * Whether a domain takes email, as far as name servers tell in a moment. An answer is advice: where none comes in time nobody
 * waits for it, and no mail server is ever asked.
 */
import { LRUCache } from 'lru-cache'
import { HOUR, MINUTE } from '../core/calendar.ts'
import type { Lookup } from '../core/checkup/lookup.ts'

/** Milliseconds that a sign-up waits for the answer. */
const DEADLINE = 400
/** Domains whose answers are remembered. */
const MOST_KEPT = 5_000
/** Look-ups under way at the same time; for more, it cannot be told. Name servers are not to be flooded through a form. */
const MOST_AT_ONCE = 20

/** `null`: it cannot be told. Never rejects on account of name servers. */
export type TakesMail = (domain: string) => Promise<boolean | null>

/** RFC 5321 5.1 and RFC 7505: a domain without MX records takes mail at its address, one with a null MX takes none. */
const ask = async (lookup: Lookup, domain: string): Promise<boolean | null> => {
  const mx = await lookup(domain, 'MX')
  if (mx.kind === 'records') return mx.records.some(({ exchange }) => exchange !== '' && exchange !== '.')
  if (mx.kind === 'failed') return null
  const hosts = await Promise.all([lookup(domain, 'A'), lookup(domain, 'AAAA')])
  if (hosts.some(({ kind }) => kind === 'records')) return true
  return hosts.some(({ kind }) => kind === 'failed') ? null : false
}

/** `deadline`: milliseconds; `monotonic`: a clock that never jumps, by which answers are forgotten. */
export const createTakesMail = (
  lookup: Lookup,
  { deadline = DEADLINE, monotonic = () => performance.now() } = {},
): TakesMail => {
  const kept = new LRUCache<string, { answer: boolean | null }>({
    max: MOST_KEPT,
    ttlResolution: 0,
    perf: { now: monotonic },
  })
  const underWay = new Map<string, Promise<boolean | null>>()
  const start = (domain: string): Promise<boolean | null> => {
    const asking = ask(lookup, domain)
      .then((answer) => {
        kept.set(domain, { answer }, { ttl: answer === null ? MINUTE : HOUR })
        return answer
      })
      .finally(() => underWay.delete(domain))
    underWay.set(domain, asking)
    return asking
  }
  return async (domain) => {
    const known = kept.get(domain)
    if (known !== undefined) return known.answer
    if (!underWay.has(domain) && underWay.size >= MOST_AT_ONCE) return null
    const asking = underWay.get(domain) ?? start(domain)
    const { promise: late, resolve } = Promise.withResolvers<null>()
    const timer = setTimeout(() => resolve(null), deadline)
    try {
      return await Promise.race([asking, late])
    } finally {
      clearTimeout(timer)
    }
  }
}
