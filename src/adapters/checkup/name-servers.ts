/** Looks up DNS records, by this machine's name servers or others. */
import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { SECOND } from '../../core/calendar.ts'
import type { Lookup, LookupResult, RecordTypes } from '../../core/checkup/lookup.ts'

const FIRST_TIMEOUT = 1.5 * SECOND
/** Each name server is asked twice, the second time with twice the timeout. */
const ATTEMPTS = 2

const NO_RECORD = new Set(['ENOTFOUND', 'ENODATA'])
const REASONS: Record<string, string> = {
  ETIMEOUT: 'no name server answered in time',
  ECONNREFUSED: 'no name server could be reached',
  ESERVFAIL: 'the name server failed (SERVFAIL)',
  EREFUSED: 'the name server refused the query',
}

/**
 * Returns a lookup by some name servers: addresses with or without a port; by default those of this machine. Throws where
 * one is no address.
 */
export const createLookup = (servers: string[] = []): Lookup => {
  const resolver = new Resolver({ timeout: FIRST_TIMEOUT, tries: ATTEMPTS })
  if (servers.length > 0) resolver.setServers(servers)
  const queries: { [T in keyof RecordTypes]: (name: string) => Promise<RecordTypes[T][]> } = {
    A: (name) => resolver.resolve4(name),
    AAAA: (name) => resolver.resolve6(name),
    MX: (name) => resolver.resolveMx(name),
    TXT: (name) => resolver.resolveTxt(name),
    PTR: (address) => (isIP(address) === 0 ? resolver.resolvePtr(address) : resolver.reverse(address)),
  }
  return async <T extends keyof RecordTypes>(name: string, type: T): Promise<LookupResult<RecordTypes[T]>> => {
    try {
      const records = await queries[type](name)
      return records.length === 0 ? { kind: 'none' } : { kind: 'records', records }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? ''
      if (NO_RECORD.has(code)) return { kind: 'none' }
      if (code === '') throw error
      return { kind: 'failed', reason: REASONS[code] ?? `the query failed (${code})` }
    }
  }
}
