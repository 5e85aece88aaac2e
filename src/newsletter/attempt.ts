/** One mail on its way: composed, handed to the server once it may begin, and what its outcome means for the ledger. */
import { MINUTE } from '../core/calendar.ts'
import type { Log } from '../core/log.ts'
import { describeError } from '../core/redact.ts'
import { isOfRelay, judgeOutcome, replyOf, type SmtpOutcome } from '../core/sending/smtp-outcome.ts'
import type { Database } from '../store/database.ts'
import type { AttemptResult, Claimed, MailStream, OnUnknown } from '../store/deliveries.ts'
import { readSentMail, storeFeedback } from '../store/feedback.ts'
import { suppress } from '../store/suppressions.ts'
import { type ComposedMail, UnrenderableDigest } from './mail.ts'
import type { Routes } from './routes.ts'

export interface AttemptPorts {
  db: Database
  log: Log
  /** The message as bytes for one subscriber; the same mail gives the same bytes again. */
  compose: (mail: Claimed) => Promise<ComposedMail>
  /** `mayBegin` is asked once there is a connection: on a no, nothing of the message may have been said. */
  send: (envelope: ComposedMail & { to: string }, mayBegin: () => boolean) => Promise<SmtpOutcome>
  /** What is known of relay and destinations; shared by all that sends in this process. */
  routes: Routes
  /** 0 to 1, to spread retries. */
  random: () => number
}

export interface AttemptOptions {
  /** Asked before each message: when it says yes, what has begun is finished and the rest is put back. */
  stopping: () => boolean
  /** `resend` unless told otherwise; concerns deliveries alone. */
  onUnknown?: OnUnknown
}

/** A message that cannot be composed is tried again at this pace, and given up after three tries. */
const COMPOSE_RETRY = 10 * MINUTE
const COMPOSE_TRIES = 3

/** What became of a claimed mail, with its defaults. */
export const attemptResult = (
  mail: Claimed,
  result: Pick<AttemptResult, 'state' | 'reason' | 'counts'> & Partial<AttemptResult>,
): AttemptResult => ({
  id: mail.id,
  localDate: mail.localDate,
  fence: mail.fence,
  retryAfterMs: 0,
  resend: false,
  reply: null,
  ...result,
})

/**
 * Composes a claimed mail, hands it over, and says what is to be recorded of it. `spoiled` are the digests that could not be
 * rendered, so that nobody tries one again for each of its readers.
 */
export const attempt = async (
  ports: AttemptPorts,
  stream: MailStream,
  mail: Claimed,
  { spoiled, mayBegin }: { spoiled: Set<number>; mayBegin: () => boolean },
  { stopping, onUnknown }: AttemptOptions,
): Promise<AttemptResult> => {
  const { db, log, routes } = ports
  const notComposed = (): AttemptResult =>
    attemptResult(mail, {
      state: mail.attempts + 1 >= COMPOSE_TRIES ? 'failed' : 'deferred',
      reason: 'could not be composed',
      counts: true,
      retryAfterMs: COMPOSE_RETRY,
    })
  if (mail.digestId !== null && spoiled.has(mail.digestId)) return notComposed()
  let composed: ComposedMail
  try {
    composed = await ports.compose(mail)
  } catch (error) {
    const ofCohort = error instanceof UnrenderableDigest
    if (ofCohort && mail.digestId !== null) spoiled.add(mail.digestId)
    log.error(
      { stream, id: mail.id, digest: mail.digestId, error: describeError(error) },
      ofCohort ? 'a digest could not be rendered: nobody of its cohort gets it' : 'a mail could not be composed',
    )
    return notComposed()
  }
  let withdrawn = false
  const outcome = await ports.send({ ...composed, to: mail.email }, () => {
    withdrawn = !mayBegin()
    return !withdrawn
  })
  // The next claim asks for consent again, and finds the connection open.
  if (withdrawn) return attemptResult(mail, { state: 'queued', reason: null, counts: false })
  // That we stop is no trouble of the mail's: it does not wait for the time of a retry, and no try is counted.
  if (outcome.kind === 'unreachable' && stopping())
    return attemptResult(mail, { state: 'queued', reason: null, counts: false })
  const reply = replyOf(outcome)
  const shut = await routes.note(mail, outcome)
  const judged = judgeOutcome(outcome, {
    attempts: mail.attempts,
    kind: stream === 'letters' ? 'letter' : 'delivery',
    waitedMs: mail.waitedMs,
    random: ports.random(),
  })
  switch (judged.next) {
    case 'sent':
      return attemptResult(mail, { state: 'sent', reason: null, counts: true, reply })
    case 'resend':
      if (stream === 'deliveries' && onUnknown === 'hold') {
        log.warn({ stream, id: mail.id }, 'the connection died after the last byte: the digest is held until released')
        return attemptResult(mail, { state: 'unknown', reason: judged.reason, counts: true, reply })
      }
      log.warn({ stream, id: mail.id }, 'the connection died after the last byte: the mail is sent again and counted')
      return attemptResult(mail, {
        state: 'queued',
        reason: judged.reason,
        counts: true,
        resend: true,
        retryAfterMs: judged.afterMs,
        reply,
      })
    case 'retry':
      return attemptResult(mail, {
        state: 'deferred',
        reason: judged.reason,
        counts: judged.counts,
        // While the relay is closed nothing is claimed; once it is open there is nothing to wait for.
        retryAfterMs: shut === 'relay' && !judged.counts && isOfRelay(outcome) ? 0 : judged.afterMs,
        reply,
      })
    case 'failed':
      if (judged.suppress) {
        const grounds = { class: 'hard', code: judged.code, diagnostic: reply.said, source: 'smtp' } as const
        await db.transaction().execute(async (trx) => {
          await suppress(trx, mail.subscriberId, { ...grounds, reason: judged.reason })
          // The same book as of what comes back later: an edition is stopped by both together.
          const sent = await readSentMail(trx, { stream, id: mail.id })
          if (sent !== null) await storeFeedback(trx, { stream, id: mail.id, ...sent }, { kind: 'bounce', ...grounds })
        })
        log.info({ stream, id: mail.id, code: judged.code }, 'the address is gone: suppressed')
      }
      return attemptResult(mail, { state: 'failed', reason: judged.reason, counts: true, reply })
  }
}
