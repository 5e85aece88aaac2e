/**
 * Records the feedback on sent mails (bounces and complaints) and suppresses readers by it.
 *
 * Feedback counts only for a mail of ours that was sent within the last 30 days, and only once; a message that proves no
 * envelope sender of ours changes nothing. A hard bounce suppresses its reader at once; soft bounces when three digests in
 * a row failed over at least a week; a complaint at once, until that person subscribes again. A refusal that is our own
 * fault suppresses nobody: it is counted, and the operator is told when many destinations report it. Feedback throttles no
 * route, since it is about mail sent hours or days ago: the replies to current mail tell better whether we are still
 * refused.
 */
import type { BounceReading } from '../../core/bounces/bounce-mail.ts'
import {
  type ArrivalOutcome,
  hasFailedForLong,
  haveCommonCause,
  mostFailuresToCount,
} from '../../core/bounces/soft-bounces.ts'
import type { MailReference } from '../../core/bounces/verp.ts'
import { DAY } from '../../core/calendar.ts'
import type { Log } from '../../core/log.ts'
import { classOfReply, redactReply } from '../../core/sending/smtp-outcome.ts'
import type { Database } from '../../store/database.ts'
import { storeEvent } from '../../store/event-webhooks.ts'
import {
  readEditionFailures,
  readRecentDigests,
  readRecentlyFailed,
  readSentMail,
  type SentDigest,
  type SentMail,
  storeFeedback,
} from '../../store/feedback.ts'
import { readSubscriber } from '../../store/subscribers.ts'
import { suppress, suppressAddress } from '../../store/suppressions.ts'

/** Feedback on older mail is not believed: relays give up after five days, and people complain within weeks. */
const MAX_AGE = 30 * DAY
/** A report dated later than this is forged, or of a machine whose clock is wrong. */
const MAX_CLOCK_SKEW = DAY
/** Hours after which a mail without feedback counts as arrived. */
const ARRIVED_AFTER = 48
const MAX_DIGESTS = 60
/** The feedback types (RFC 5965 7.3) that a person's complaint has; others suppress nobody. */
const COMPLAINTS = new Set(['abuse', 'fraud', 'virus', 'other', 'opt-out', 'opt-out-list', 'miscategorized'])
const RECENT_MINUTES = 10

export type FeedbackResult =
  /** The reader was suppressed. */
  | 'suppressed'
  /** Stored; nobody is suppressed, or not yet. */
  | 'recorded'
  /** It was stored before. */
  | 'known'
  /** It says nothing that matters: an auto-reply, a delay. */
  | 'ignored'
  /** Not about a mail of ours, or about one that can have no feedback. */
  | 'foreign'

export type Report = Pick<BounceReading, 'kind' | 'class' | 'code' | 'diagnostic' | 'feedback'>

export interface FeedbackContext {
  db: Database
  log: Log
}

export interface FeedbackPorts extends FeedbackContext {
  /** Called after a hard bounce or a complaint, which may stop an edition. */
  checkEditions: () => Promise<unknown>
}

/** Whether a report is a person's complaint. */
export const isComplaint = (report: Report): boolean =>
  report.kind === 'complaint' && COMPLAINTS.has(report.feedback ?? 'abuse')

/** Why a reader is suppressed, as the operator reads it: `bounced: 5.1.1: no such user`. */
const suppressionReason = (why: string, ...details: (string | null)[]): string =>
  [why, ...details].filter((part) => part !== null && part !== '').join(': ')

/**
 * Records a report about one of our mails and suppresses its reader where that follows. `source`: the provider, `mail` or
 * `feedback loop`. `dated`: when the report says it was made; `null` where it does not say. When the promise resolves, all
 * of it is stored; it rejects where the database fails, and then nothing is.
 */
export const recordFeedback = async (
  { db, log, checkEditions }: FeedbackPorts,
  mail: MailReference,
  report: Report,
  source: string,
  dated: Date | null = null,
): Promise<FeedbackResult> => {
  if (report.kind !== 'bounce' && report.kind !== 'complaint') return 'ignored'
  if (report.kind === 'complaint' && !isComplaint(report)) return 'ignored'
  const { kind } = report
  const { result, edition } = await db.transaction().execute(async (trx) => {
    const sent = await readSentMail(trx, mail)
    const stored = sent === null ? 'foreign' : await storeReport(trx, mail, sent, { ...report, kind }, source, dated)
    return { result: stored, edition: sent?.editionId ?? null }
  })
  if (result === 'suppressed' || result === 'recorded') {
    const facts = {
      stream: mail.stream,
      mail: mail.id,
      edition,
      kind,
      class: report.class,
      code: report.code,
      source,
      result,
    }
    if (report.class === 'ours')
      log.warn(facts, 'a mail was refused for who we are or what we send: nobody is suppressed')
    else log.info(facts, kind === 'complaint' ? 'a mail was complained about' : 'a mail bounced')
    if (kind === 'complaint' || report.class === 'hard') await checkEditions()
  }
  return result
}

const storeReport = async (
  trx: Database,
  mail: MailReference,
  sent: SentMail,
  report: Report & { kind: 'bounce' | 'complaint' },
  source: string,
  dated: Date | null,
): Promise<FeedbackResult> => {
  if (sent.handedAt === null) return 'foreign'
  if (sent.now.getTime() - sent.handedAt.getTime() > MAX_AGE) return 'foreign'
  if (dated !== null && dated.getTime() - sent.now.getTime() > MAX_CLOCK_SKEW) return 'foreign'
  if (sent.subscriberId === null) return suppressCurator(trx, sent, report, source)
  // The lock makes two reports about one reader wait for each other.
  const reader = await readSubscriber(trx, { id: sent.subscriberId }, true)
  if (reader === undefined || reader.email === null) return 'foreign'
  const { kind, code } = report
  const { editionId, announcementId } = sent
  const diagnostic = report.diagnostic === null ? null : redactReply(report.diagnostic)
  const bounceClass = kind === 'complaint' ? null : (report.class ?? 'unknown')
  const changed = await storeFeedback(
    trx,
    { ...mail, subscriberId: sent.subscriberId, editionId, announcementId },
    { kind, class: bounceClass, code, diagnostic, source },
  )
  if (!changed) return 'known'
  if (kind === 'complaint') {
    const reason = suppressionReason(`complained (${report.feedback ?? 'abuse'})`, code)
    await suppress(trx, sent.subscriberId, { class: 'complaint', reason, code, diagnostic, source, editionId })
    return 'suppressed'
  }
  if (bounceClass === 'hard') {
    const reason = suppressionReason('bounced', code, diagnostic)
    await suppress(trx, sent.subscriberId, { class: 'hard', reason, code, diagnostic, source, editionId })
    return 'suppressed'
  }
  if (bounceClass !== 'ours' && (await suppressIfFailing(trx, sent.subscriberId, source))) return 'suppressed'
  return 'recorded'
}

/** A curator has no subscription to stop: nothing is mailed to their address any more, and the report is not kept. */
const suppressCurator = async (
  trx: Database,
  { curatorAddress }: { curatorAddress: string | null },
  { kind, class: bounceClass, code, diagnostic, feedback }: Report & { kind: 'bounce' | 'complaint' },
  source: string,
): Promise<FeedbackResult> => {
  if (curatorAddress === null) return 'foreign'
  if (kind === 'bounce' && bounceClass !== 'hard') return 'recorded'
  const said = diagnostic === null ? null : redactReply(diagnostic)
  const changed = await suppressAddress(trx, curatorAddress, {
    class: kind === 'complaint' ? 'complaint' : 'hard',
    reason:
      kind === 'complaint'
        ? suppressionReason(`complained (${feedback ?? 'abuse'})`, code)
        : suppressionReason('bounced', code, said),
    code,
    diagnostic: said,
    source,
  })
  return changed ? 'suppressed' : 'known'
}

const outcomeOf = (digest: SentDigest): ArrivalOutcome => {
  if (digest.bounce !== null) return digest.bounce === 'ours' ? 'ours' : 'failed'
  if (digest.state === 'sent') return (digest.sentAgo ?? 0) >= ARRIVED_AFTER ? 'arrived' : 'open'
  // Without a code no server refused it: its route was deferred, or it could not be composed.
  if (digest.code === null) return 'ours'
  const { code, enhanced, said } = digest
  return classOfReply({ code, enhanced, reply: said ?? '' }) === 'ours' ? 'ours' : 'failed'
}

/** Suppresses a reader whose digests failed for long; returns whether it did. */
const suppressIfFailing = async (db: Database, subscriberId: string, source: string): Promise<boolean> => {
  const digests = await readRecentDigests(db, subscriberId, MAX_DIGESTS)
  const arrivals = digests.map((digest) => ({ at: digest.at, outcome: outcomeOf(digest), editionId: digest.editionId }))
  if (!hasFailedForLong(arrivals)) return false
  // Only now, since it takes counting: were these failures the reader's, or everybody's?
  const failed = new Set(arrivals.filter(({ outcome }) => outcome === 'failed').map(({ editionId }) => editionId))
  const editions = await readEditionFailures(db, [...failed], mostFailuresToCount)
  const common = new Set(editions.filter(haveCommonCause).map(({ id }) => id))
  const own = arrivals.filter(({ outcome, editionId }) => outcome !== 'failed' || !common.has(editionId))
  if (!hasFailedForLong(own)) return false
  const newest = digests[0]
  return suppress(db, subscriberId, {
    class: 'soft',
    reason: 'three digests in a row or more failed, over a week at least',
    code: newest?.enhanced ?? newest?.code?.toString() ?? null,
    diagnostic: newest?.said ?? null,
    source,
    editionId: newest?.editionId ?? null,
  })
}

/**
 * Suppresses readers whose digests failed for long and whose last one a server refused, or did not take for a day, within
 * the last minutes. Returns how many.
 */
export const suppressFailing = async ({ db, log }: FeedbackContext): Promise<number> => {
  let suppressed = 0
  for (const id of await readRecentlyFailed(db, RECENT_MINUTES))
    if (await db.transaction().execute((trx) => suppressIfFailing(trx, id, 'smtp'))) suppressed++
  if (suppressed > 0) log.info({ suppressed }, 'readers whose digests failed for long are suppressed')
  return suppressed
}

/**
 * Records a complaint whose mail is not known but whose reader is: their unsubscribe link stands in it. It does what the
 * link does, and suppresses them.
 */
export const recordReaderComplaint = async (
  { db, log }: FeedbackContext,
  subscriberId: string,
  report: Report,
  source: string,
): Promise<FeedbackResult> => {
  if (!isComplaint(report)) return 'ignored'
  const changed = await db.transaction().execute(async (trx) => {
    const suppressed = await suppress(trx, subscriberId, {
      class: 'complaint',
      reason: `complained (${report.feedback ?? 'abuse'})`,
      code: null,
      diagnostic: null,
      source,
    })
    if (suppressed) {
      const data = { email: null, edition: null, code: null, diagnostic: null, source }
      await storeEvent(trx, { event: 'email.complained', subscriberId, data })
    }
    return suppressed
  })
  if (changed) log.info({ subscriber: subscriberId, source }, 'a reader complained')
  return changed ? 'suppressed' : 'known'
}
