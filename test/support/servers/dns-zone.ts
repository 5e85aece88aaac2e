/** A domain name system of a test's own, held in memory. */
import type { Lookup, LookupResult, RecordTypes } from '../../../src/core/checkup/lookup.ts'

/** `name TYPE`, such as `example.org MX`; `failed`: no name server answers. A name without an entry does not exist. */
export type Zone = Record<string, RecordTypes[keyof RecordTypes][] | 'failed'>

/** Answers by the zone as it is at the moment of asking. */
export const createZoneLookup =
  (zone: Zone): Lookup =>
  async <T extends keyof RecordTypes>(name: string, type: T): Promise<LookupResult<RecordTypes[T]>> => {
    const found = zone[`${name} ${type}`]
    if (found === 'failed') return { kind: 'failed', reason: 'no name server answered in time' }
    // The zone's writer vouches for the kind of its records.
    return found === undefined ? { kind: 'none' } : { kind: 'records', records: found as RecordTypes[T][] }
  }
