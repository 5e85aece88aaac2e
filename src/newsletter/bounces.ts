/**
 * What follows when something comes back: who is written to no more, and which edition stops.
 *
 * Only a mail of ours, sent within the last 30 days, can come back, and only once; what a stranger writes without its
 * envelope sender changes nothing. A hard bounce ends mail at once; soft ones when three digests in a row failed over a
 * week; a complaint at once, until that person subscribes again; and what is our own fault ends it for nobody: it is
 * counted, and told to the operator when many destinations say it. No way is closed by it, for it is of mail that was sent
 * hours or days ago: what is sent now tells better whether we are still refused.
 */
import type { BounceClass } from '../core/bounces/bounce-class.ts'
import { type BounceReading, type MailParts, readBounce } from '../core/bounces/bounce-mail.ts'
import { alarmOf, FEWEST_RETURNS, MOST_RETURNS } from '../core/bounces/edition-alarm.ts'
import { type Arrival, hasFailedForLong } from '../core/bounces/soft-bounces.ts'
import { type ReturnedMail, readReturnPath } from '../core/bounces/verp.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../core/calendar.ts'
import type { Log } from '../core/log.ts'
import { areOfUs } from '../core/sending/breaker.ts'
import { destinationOfDomain } from '../core/sending/destination.ts'
import { classOfReply, redactReply } from '../core/sending/smtp-outcome.ts'
import { type Keys, provesToken, readTokenId } from '../core/token.ts'
import type { Database } from '../store/database.ts'
import { pauseEdition } from '../store/editions.ts'
import {
  countRefusalsOfUs,
  noteAlarm,
  readLatelyFailed,
  readOpenFeedback,
  readSendings,
  readSentMail,
  type Sending,
  storeFeedback,
} from '../store/feedback.ts'
import { readSubscriber } from '../store/subscribers.ts'
import { suppress } from '../store/suppressions.ts'

/** Mail that is older does not come back any more: relays give up after five days, people complain within weeks. */
const COMES_BACK_WITHIN = 30 * DAY
/** A report dated later than this is made up, or of a machine that knows no time. */
const CLOCKS_APART = DAY
/** Hours: what has not come back by then has arrived, as far as its reader is concerned. */
const ARRIVED_AFTER = 48
const MOST_SENDINGS = 60
/** Of reports about a message that no person has made, nothing follows. */
const COMPLAINTS = new Set(['abuse', 'fraud', 'virus', 'other', 'opt-out', 'opt-out-list', 'miscategorized'])
const LATELY_MINUTES = 10
/** Digests are counted no sooner again, however many reports come; each tick looks, too. */
const WATCH_EVERY = 10 * SECOND
const REFUSED_WITHIN = HOUR

export type Taken =
  /** The reader is written to no more. */
  | 'suppressed'
  /** Written down; nothing follows, or not yet. */
  | 'recorded'
  | 'known'
  /** It says nothing that matters: an auto-reply, a delay. */
  | 'nothing'
  /** Not about a mail of ours, or about one that cannot come back. */
  | 'foreign'

export type Report = Pick<BounceReading, 'kind' | 'class' | 'code' | 'diagnostic' | 'feedback'>

interface FeedbackContext {
  db: Database
  log: Log
}

export interface FeedbackPorts extends FeedbackContext {
  /** Called when there is one more of what stops an edition. */
  watch: () => Promise<unknown>
}

const reasonOf = (of: BounceClass | 'complaint', report: Report, why: string): string =>
  [why, report.code, of === 'complaint' ? null : report.diagnostic && redactReply(report.diagnostic)]
    .filter((part) => part !== null && part !== '')
    .join(': ')

/**
 * Takes a report about one of our mails. `dated` is when the report says it was made; `null` where it does not say. When
 * the promise resolves, what followed is stored.
 */
export const takeReport = async (
  { db, log, watch }: FeedbackPorts,
  mail: ReturnedMail,
  report: Report,
  source: string,
  dated: Date | null = null,
): Promise<Taken> => {
  if (report.kind !== 'bounce' && report.kind !== 'complaint') return 'nothing'
  const { kind } = report
  if (kind === 'complaint' && !COMPLAINTS.has(report.feedback ?? 'abuse')) return 'nothing'
  const taken = await db.transaction().execute(async (trx): Promise<Taken> => {
    const sent = await readSentMail(trx, mail)
    if (sent === null || sent.handedAt === null) return 'foreign'
    if (sent.now.getTime() - sent.handedAt.getTime() > COMES_BACK_WITHIN) return 'foreign'
    if (dated !== null && dated.getTime() - sent.now.getTime() > CLOCKS_APART) return 'foreign'
    // Two reports about one reader are taken one after the other.
    const reader = await readSubscriber(trx, { id: sent.subscriberId }, true)
    if (reader === undefined || reader.email === null) return 'foreign'
    const diagnostic = report.diagnostic === null ? null : redactReply(report.diagnostic)
    const of = kind === 'complaint' ? null : (report.class ?? 'unknown')
    const fresh = await storeFeedback(
      trx,
      { ...mail, subscriberId: sent.subscriberId, editionId: sent.editionId },
      { kind, class: of, code: report.code, diagnostic, source },
    )
    if (!fresh) return 'known'
    const grounds = { code: report.code, diagnostic, source }
    if (kind === 'complaint') {
      const reason = reasonOf('complaint', report, `complained (${report.feedback ?? 'abuse'})`)
      await suppress(trx, sent.subscriberId, { ...grounds, class: 'complaint', reason })
      return 'suppressed'
    }
    if (of === 'hard') {
      await suppress(trx, sent.subscriberId, { ...grounds, class: 'hard', reason: reasonOf('hard', report, 'bounced') })
      return 'suppressed'
    }
    if (of !== 'ours' && (await stopIfFailing(trx, sent.subscriberId, source))) return 'suppressed'
    return 'recorded'
  })
  if (taken === 'suppressed' || taken === 'recorded') {
    const facts = { mail: mail.id, kind, class: report.class, code: report.code, source, taken }
    if (report.class === 'ours') log.warn(facts, 'a mail was refused for what we are or send: nobody is taken off')
    else log.info(facts, 'a mail came back')
    if (kind === 'complaint' || report.class === 'hard') await watch()
  }
  return taken
}

const arrivalOf = (sending: Sending): Arrival => {
  if (sending.returned !== null) return sending.returned === 'ours' ? 'ours' : 'failed'
  if (sending.state === 'sent') return (sending.sentAgo ?? 0) >= ARRIVED_AFTER ? 'arrived' : 'open'
  // No server said anything: the way was shut, or it could not be composed.
  if (sending.code === null) return 'ours'
  const { code, enhanced, said } = sending
  return classOfReply({ code, enhanced, reply: said ?? '' }) === 'ours' ? 'ours' : 'failed'
}

/** Ends mail to a reader whose digests failed for long; returns whether it did. */
const stopIfFailing = async (db: Database, subscriberId: string, source: string): Promise<boolean> => {
  const sendings = await readSendings(db, subscriberId, MOST_SENDINGS)
  if (!hasFailedForLong(sendings.map((sending) => ({ at: sending.at, outcome: arrivalOf(sending) })))) return false
  const last = sendings[0]
  const code = last?.enhanced ?? last?.code?.toString() ?? null
  return suppress(db, subscriberId, {
    class: 'soft',
    reason: 'three digests in a row or more came back, over a week at least',
    code,
    diagnostic: last?.said ?? null,
    source,
  })
}

/** The same for those whose digest a server refused, or did not take for a day. Returns how many are written to no more. */
export const stopFailing = async ({ db, log }: FeedbackContext): Promise<number> => {
  let stopped = 0
  for (const id of await readLatelyFailed(db, LATELY_MINUTES))
    if (await db.transaction().execute((trx) => stopIfFailing(trx, id, 'smtp'))) stopped++
  if (stopped > 0) log.info({ stopped }, 'readers whose digests failed for long are written to no more')
  return stopped
}

/** Stops editions of which too much comes back; an operator decides whether they go on. Returns how many. */
export const watchEditions = async ({ db, log }: FeedbackContext): Promise<number> => {
  let stopped = 0
  for (const { id, ...returns } of await readOpenFeedback(db, FEWEST_RETURNS, MOST_RETURNS)) {
    const why = alarmOf(returns)
    if (why === null) continue
    const now = await db.transaction().execute(async (trx) => {
      if (!(await noteAlarm(trx, id))) return false
      await pauseEdition(trx, id, { by: 'alarm', why })
      return true
    })
    if (!now) continue
    stopped++
    log.error({ edition: id, ...returns }, `an edition was paused: ${why}`)
  }
  return stopped
}

/** Watches editions after reports, at most once in ten seconds. `steady`: milliseconds of a clock that never jumps. */
export const createWatch = (ports: FeedbackContext, monotonic: () => number): (() => Promise<void>) => {
  let lookedAt = Number.NEGATIVE_INFINITY
  return async () => {
    if (monotonic() - lookedAt < WATCH_EVERY) return
    lookedAt = monotonic()
    await watchEditions(ports)
  }
}

/**
 * Tells the operator, at most once an hour, that reports of many destinations say that we are refused: as many as would
 * close the relay, had they been said at once. Returns whether it did.
 */
export const createRefusalAlert = ({ db, log }: FeedbackContext, monotonic: () => number): (() => Promise<boolean>) => {
  let toldAt = Number.NEGATIVE_INFINITY
  return async () => {
    if (monotonic() - toldAt < REFUSED_WITHIN) return false
    const refusals = await countRefusalsOfUs(db, REFUSED_WITHIN / MINUTE)
    const mails = refusals.reduce((sum, { count }) => sum + count, 0)
    const destinations = new Set(refusals.map(({ domain }) => destinationOfDomain(domain).name))
    if (!areOfUs(mails, destinations.size)) return false
    toldAt = monotonic()
    const names = [...destinations].slice(0, 10)
    log.error(
      { mails, destinations: names },
      'mail comes back from many destinations for what we are or send: look at the reasons, at SPF, DKIM and DMARC of MAIL_FROM',
    )
    return true
  }
}

/** By what a complaint tells which of our mails it is about: its envelope sender, or the reader's link to unsubscribe. */
export const readMark = (keys: Keys, marks: readonly string[], domain: string): ReturnedMail | null => {
  for (const mark of marks) {
    const mail = readReturnPath(keys, mark, domain)
    if (mail !== null) return mail
  }
  return null
}

/** The reader of a forwarded complaint, by the token of their unsubscribe link; `null` where none proves itself. */
const readMarkedReader = (keys: Keys, marks: readonly string[]): string | null => {
  const token = marks.find((mark) => provesToken(keys, 'unsubscribe', mark))
  return token === undefined ? null : readTokenId(token)
}

/**
 * A complaint about a mail that cannot be named, by a reader who can: their unsubscribe link stands in it. It does what
 * the link does, and more.
 */
const takeReaderComplaint = async (
  { db, log }: FeedbackContext,
  subscriberId: string,
  report: Report,
  source: string,
): Promise<Taken> => {
  if (report.kind !== 'complaint' || !COMPLAINTS.has(report.feedback ?? 'abuse')) return 'nothing'
  const changed = await suppress(db, subscriberId, {
    class: 'complaint',
    reason: `complained (${report.feedback ?? 'abuse'})`,
    code: null,
    diagnostic: null,
    source,
  })
  if (changed) log.info({ subscriber: subscriberId, source }, 'a reader complained')
  return changed ? 'suppressed' : 'known'
}

/** Takes what strangers bring to the door: mail to the envelope senders of ours, and complaints. */
export interface Receiver {
  /** Whether an address is one of ours; the token in it is checked, and nothing is looked up. */
  accepts(address: string): boolean
  /** Reads a message and does what follows; resolves when that is stored. */
  receive(raw: Uint8Array, recipient: string): Promise<Taken>
}

/** Where feedback loops are told to send what readers complain of. */
const COMPLAINTS_TO = 'complaints'

export const createReceiver = (
  ports: FeedbackPorts & {
    keys: Keys
    /** Of the envelope senders. */
    domain: string
    readMail: (raw: Uint8Array) => Promise<MailParts>
  },
): Receiver => {
  const { keys, domain, readMail } = ports
  const isForComplaints = (address: string) => address.toLowerCase() === `${COMPLAINTS_TO}@${domain}`.toLowerCase()
  return {
    accepts: (address) => isForComplaints(address) || readReturnPath(keys, address, domain) !== null,

    async receive(raw, recipient) {
      const parts = await readMail(raw)
      const reading = readBounce(parts)
      const dated = new Date(parts.headers.get('date')?.[0] ?? '')
      const at = Number.isNaN(dated.getTime()) ? null : dated
      const named = readReturnPath(keys, recipient, domain)
      if (named !== null) return takeReport(ports, named, reading, 'mail', at)
      if (reading.kind !== 'complaint') return 'nothing'
      const marked = readMark(keys, reading.marks, domain)
      if (marked !== null) return takeReport(ports, marked, reading, 'feedback loop', at)
      const reader = readMarkedReader(keys, reading.marks)
      return reader === null ? 'foreign' : takeReaderComplaint(ports, reader, reading, 'feedback loop')
    },
  }
}
