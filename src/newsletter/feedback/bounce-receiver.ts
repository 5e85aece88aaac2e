/**
 * Receives mail under the domain of envelope senders: bounces and complaints, whose feedback is recorded, and mail to a
 * reader's address to unsubscribe at.
 */
import { type MailParts, readBounce } from '../../core/bounces/bounce-mail.ts'
import { type MailReference, readReturnPath } from '../../core/bounces/verp.ts'
import { readUnsubscribeAddress } from '../../core/sending/list-headers.ts'
import { type Keys, provesToken, readTokenId } from '../../core/token.ts'
import { unsubscribe } from '../subscription/unsubscription.ts'
import { type FeedbackPorts, type FeedbackResult, recordFeedback, recordReaderComplaint } from './feedback.ts'

/** The local part of the address that feedback loops send complaints to. */
const COMPLAINTS_TO = 'complaints'
/**
 * Local parts at which a person can be reached in any domain that takes mail: `postmaster` must be accepted (RFC 5321 4.5.1),
 * and `abuse` should be (RFC 2142 4).
 */
const OPERATOR_AT = ['postmaster', 'abuse']

export interface BounceReceiver {
  /** Whether an address is one of ours; the token in it is verified without asking the database. */
  accepts(address: string): boolean
  /**
   * Reads a raw message and records its feedback, or unsubscribes the reader whose address it was sent to; resolves when
   * that is stored, and rejects where the database fails: the message must then come again. Nobody gets an answer.
   */
  receive(raw: Uint8Array, recipient: string): Promise<FeedbackResult | 'unsubscribed'>
}

export interface BounceReceiverPorts extends FeedbackPorts {
  keys: Keys
  now: () => Date
  /** Of the envelope senders. */
  domain: string
  readMail: (raw: Uint8Array) => Promise<MailParts>
  /** Passes a message to `postmaster` on to the operator; rejects where that fails: it must then come again. */
  passOn: (raw: Uint8Array, recipient: string) => Promise<void>
}

/** The mail of ours that is named by an envelope sender among the marks of a message; `null` where none proves itself. */
export const findMarkedMail = (keys: Keys, marks: readonly string[], domain: string): MailReference | null => {
  for (const mark of marks) {
    const mail = readReturnPath(keys, mark, domain)
    if (mail !== null) return mail
  }
  return null
}

/** The id of the reader whose unsubscribe link is among the marks of a message; `null` where none proves itself. */
const findMarkedReader = (keys: Keys, marks: readonly string[]): string | null => {
  const token = marks.find((mark) => provesToken(keys, 'unsubscribe', mark))
  return token === undefined ? null : readTokenId(token)
}

/** For the record of consent. */
const BY_MAIL = { source: 'mailto', form: null, client: null }

export const createBounceReceiver = (ports: BounceReceiverPorts): BounceReceiver => {
  const { db, keys, now, domain, readMail, passOn } = ports
  const isAt = (names: readonly string[], address: string) =>
    names.some((name) => address.toLowerCase() === `${name}@${domain}`.toLowerCase())
  const isForOperator = (address: string) => isAt(OPERATOR_AT, address) || address.toLowerCase() === 'postmaster'

  /** The token of an address to unsubscribe at that we made; `null` for any other address. */
  const tokenIn = (address: string): string | null => {
    const token = readUnsubscribeAddress(address, domain)
    return token !== null && provesToken(keys, 'unsubscribe', token) ? token : null
  }

  const readFeedback = async (raw: Uint8Array, recipient: string): Promise<FeedbackResult> => {
    const parts = await readMail(raw)
    const reading = readBounce(parts)
    const dated = new Date(parts.headers.get('date')?.[0] ?? '')
    const at = Number.isNaN(dated.getTime()) ? null : dated
    const addressed = readReturnPath(keys, recipient, domain)
    if (addressed !== null) return recordFeedback(ports, addressed, reading, 'mail', at)
    if (reading.kind !== 'complaint') return 'ignored'
    const marked = findMarkedMail(keys, reading.marks, domain)
    if (marked !== null) return recordFeedback(ports, marked, reading, 'feedback loop', at)
    const reader = findMarkedReader(keys, reading.marks)
    return reader === null ? 'foreign' : recordReaderComplaint(ports, reader, reading, 'feedback loop')
  }

  return {
    accepts: (address) =>
      isAt([COMPLAINTS_TO], address) ||
      isForOperator(address) ||
      readReturnPath(keys, address, domain) !== null ||
      tokenIn(address) !== null,

    async receive(raw, recipient) {
      const token = tokenIn(recipient)
      // Whoever has the token may unsubscribe its reader: sender, subject and content do not matter.
      if (token !== null) return (await unsubscribe({ db, keys, now }, token, BY_MAIL)) ?? 'foreign'
      const result = await readFeedback(raw, recipient)
      // A feedback loop may be sent to `abuse`, too; what is no complaint about a mail of ours is for a person.
      if (isForOperator(recipient) && (result === 'ignored' || result === 'foreign')) await passOn(raw, recipient)
      return result
    },
  }
}
