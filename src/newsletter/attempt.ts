/** One mail on its way: composed, handed to the server once it may begin, and what its outcome means for the ledger. */
import { MINUTE } from '../core/calendar.ts'
import type { Log } from '../core/log.ts'
import { describeFault } from '../core/redact.ts'
import { answerOf, isOfRelay, judgeOutcome, type SmtpOutcome } from '../core/sending/smtp-outcome.ts'
import type { Database } from '../store/database.ts'
import type { Claimed, Ledger, OnUnknown, Verdict } from '../store/deliveries.ts'
import { readSentMail, storeReturn } from '../store/feedback.ts'
import { suppress } from '../store/suppressions.ts'
import { type ComposedMail, UnrenderableDigest } from './mail.ts'
import type { Ways } from './routes.ts'

export interface AttemptPorts {
  db: Database
  log: Log
  /** The message as bytes for one subscriber; the same mail gives the same bytes again. */
  compose: (mail: Claimed) => Promise<ComposedMail>
  /** `mayBegin` is asked once there is a connection: on a no, nothing of the message may have been said. */
  send: (envelope: ComposedMail & { to: string }, mayBegin: () => boolean) => Promise<SmtpOutcome>
  /** What is known of relay and destinations; shared by all that sends in this process. */
  ways: Ways
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
export const verdictOf = (
  mail: Claimed,
  verdict: Pick<Verdict, 'state' | 'reason' | 'counts'> & Partial<Verdict>,
): Verdict => ({
  id: mail.id,
  localDate: mail.localDate,
  fence: mail.fence,
  retryAfterMs: 0,
  resend: false,
  answer: null,
  ...verdict,
})

/**
 * Composes a claimed mail, hands it over, and says what is to be recorded of it. `spoiled` are the digests that could not be
 * rendered, so that nobody tries one again for each of its readers.
 */
export const attempt = async (
  ports: AttemptPorts,
  ledger: Ledger,
  mail: Claimed,
  { spoiled, mayBegin }: { spoiled: Set<number>; mayBegin: () => boolean },
  { stopping, onUnknown }: AttemptOptions,
): Promise<Verdict> => {
  const { db, log, ways } = ports
  const notComposed = (): Verdict =>
    verdictOf(mail, {
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
      { ledger, id: mail.id, digest: mail.digestId, trouble: describeFault(error) },
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
  if (withdrawn) return verdictOf(mail, { state: 'queued', reason: null, counts: false })
  // That we stop is no trouble of the mail's: it does not wait for the time of a retry, and no try is counted.
  if (outcome.kind === 'unreachable' && stopping())
    return verdictOf(mail, { state: 'queued', reason: null, counts: false })
  const answer = answerOf(outcome)
  const shut = await ways.note(mail, outcome)
  const judged = judgeOutcome(outcome, {
    attempts: mail.attempts,
    kind: ledger === 'letters' ? 'letter' : 'delivery',
    waitedMs: mail.waitedMs,
    random: ports.random(),
  })
  switch (judged.next) {
    case 'sent':
      return verdictOf(mail, { state: 'sent', reason: null, counts: true, answer })
    case 'resend':
      if (ledger === 'deliveries' && onUnknown === 'hold') {
        log.warn({ ledger, id: mail.id }, 'the connection died after the last byte: the digest is held until released')
        return verdictOf(mail, { state: 'unknown', reason: judged.reason, counts: true, answer })
      }
      log.warn({ ledger, id: mail.id }, 'the connection died after the last byte: the mail is sent again and counted')
      return verdictOf(mail, {
        state: 'queued',
        reason: judged.reason,
        counts: true,
        resend: true,
        retryAfterMs: judged.afterMs,
        answer,
      })
    case 'retry':
      return verdictOf(mail, {
        state: 'deferred',
        reason: judged.reason,
        counts: judged.counts,
        // While the relay is closed nothing is claimed; once it is open there is nothing to wait for.
        retryAfterMs: shut === 'relay' && !judged.counts && isOfRelay(outcome) ? 0 : judged.afterMs,
        answer,
      })
    case 'failed':
      if (judged.suppress) {
        const grounds = { class: 'hard', code: judged.code, diagnostic: answer.said, source: 'smtp' } as const
        await db.transaction().execute(async (trx) => {
          await suppress(trx, mail.subscriberId, { ...grounds, reason: judged.reason })
          // The same book as of what comes back later: an edition is stopped by both together.
          const sent = await readSentMail(trx, { ledger, id: mail.id })
          if (sent !== null) await storeReturn(trx, { ledger, id: mail.id, ...sent }, { kind: 'bounce', ...grounds })
        })
        log.info({ ledger, id: mail.id, code: judged.code }, 'the address is gone: suppressed')
      }
      return verdictOf(mail, { state: 'failed', reason: judged.reason, counts: true, answer })
  }
}
