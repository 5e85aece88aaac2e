/** DNS lookups, and their possible results. */
import { type Finding, fault } from './check.ts'

/** The record types that are looked up, as Node returns them; a TXT record is a list of strings to be joined. */
export interface RecordTypes {
  A: string
  AAAA: string
  MX: { priority: number; exchange: string }
  TXT: string[]
  PTR: string
}

export type LookupResult<T> =
  | { kind: 'records'; records: T[] }
  /** The name does not exist, or has nothing of this type. */
  | { kind: 'none' }
  /** No name server could tell; `reason` is a clause for the operator. */
  | { kind: 'failed'; reason: string }

/** Looks up the records of one type. For `PTR` the name is an IP address. Rejects only on a defect of ours. */
export type Lookup = <T extends keyof RecordTypes>(name: string, type: T) => Promise<LookupResult<RecordTypes[T]>>

/** The records of a result; empty where there are none or the lookup failed. */
export const recordsOf = <T>(result: LookupResult<T>): T[] => (result.kind === 'records' ? result.records : [])

/** The finding where a lookup failed; `what` was looked up. */
export const lookupFailed = (what: string, reason: string): Finding =>
  fault(
    `nothing: ${reason}`,
    `it cannot be known what others see of ${what}`,
    'give this machine access to a name server, or name one with --name-server, such as --name-server 9.9.9.9; then look again',
  )

/** A TXT record as it stands in a zone: strings of at most 255 octets (RFC 1035 3.3.14). */
export const txtRecord = (name: string, text: string): string =>
  `${name}. IN TXT ${(text.match(/.{1,255}/gs) ?? []).map((part) => `"${part}"`).join(' ')}`
