/** A domain name system of a test's own, held in memory. */
import type { Answer, Lookup, RecordTypes } from '../../../src/core/checkup/lookup.ts'

/** `name TYPE`, such as `example.org MX`; `silent`: no name server answers. A name without an entry does not exist. */
export type Zone = Record<string, RecordTypes[keyof RecordTypes][] | 'silent'>

/** Answers by the zone as it is at the moment of asking. */
export const createZoneLookup =
  (zone: Zone): Lookup =>
  async <T extends keyof RecordTypes>(name: string, type: T): Promise<Answer<RecordTypes[T]>> => {
    const found = zone[`${name} ${type}`]
    if (found === 'silent') return { kind: 'silent', reason: 'no name server answered in time' }
    // The zone's writer vouches for the kind of its records.
    return found === undefined ? { kind: 'none' } : { kind: 'records', records: found as RecordTypes[T][] }
  }
