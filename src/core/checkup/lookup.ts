/** Questions to the domain name system, and what may come of one. */
import { type Finding, fault } from './check.ts'

/** Each type of record that is asked for, as Node reads it; a TXT record is a list of strings that belong together. */
export interface RecordTypes {
  A: string
  AAAA: string
  MX: { priority: number; exchange: string }
  TXT: string[]
  PTR: string
}

export type Answer<T> =
  | { kind: 'records'; records: T[] }
  /** The name does not exist, or has nothing of this type. */
  | { kind: 'none' }
  /** No name server could say; `reason` is a clause for the operator. */
  | { kind: 'silent'; reason: string }

/** Never throws. For `PTR` the name is an IP address. */
export type Lookup = <T extends keyof RecordTypes>(name: string, type: T) => Promise<Answer<RecordTypes[T]>>

/** The records; none where there are none, and where nobody could say. */
export const recordsOf = <T>(answer: Answer<T>): T[] => (answer.kind === 'records' ? answer.records : [])

/** What to tell where nobody could say. */
export const unanswered = (question: string, reason: string): Finding =>
  fault(
    `nothing: ${reason}`,
    `it cannot be known what others see of ${question}`,
    'let this machine reach a name server, or name one with --name-server, such as --name-server 9.9.9.9; then look again',
  )

/** A record as one writes it into a zone: strings of at most 255 octets (RFC 1035 3.3.14). */
export const txtRecord = (name: string, text: string): string =>
  `${name}. IN TXT ${(text.match(/.{1,255}/gs) ?? []).map((part) => `"${part}"`).join(' ')}`
