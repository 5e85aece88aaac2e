/** One attempt at a claimed mail: composed, handed to the server once it may begin, and what is to be recorded of it. */
import { MINUTE } from '../../core/calendar.ts'
import type { Log } from '../../core/log.ts'
import { describeError } from '../../core/redact.ts'
import { decideNext, isOfRelay, type NextStep, replyOf, type SmtpOutcome } from '../../core/sending/smtp-outcome.ts'
import type { Database, MailStream } from '../../store/database.ts'
import { readSentMail, storeFeedback } from '../../store/feedback.ts'
import type { Claimed } from '../../store/outbox/claims.ts'
import { REFUSED_LIKE_OTHERS } from '../../store/outbox/conditions.ts'
import type { OnUnknown } from '../../store/outbox/leases.ts'
import type { AttemptResult, ServerReply } from '../../store/outbox/outcomes.ts'
import { suppress, suppressAddress as suppressByAddress } from '../../store/suppressions.ts'
import { type ComposedMail, UnrenderableDigest } from './mail.ts'
import type { Routes } from './routes.ts'

/** Whether a message may begin (`mail`), and whether its body may leave (`body`). */
export type MayBegin = (at: 'mail' | 'body') => boolean

export interface AttemptPorts {
  db: Database
  log: Log
  /** The message for one subscriber, in octets; the same mail gives the same octets again. */
  compose: (mail: Claimed) => Promise<ComposedMail>
  /**
   * Calls `mayBegin` once there is a connection, before MAIL, and again before the body leaves: if that returns false,
   * nothing more of the message may be sent, and the server does not take it. Rejects before anything is sent.
   */
  send: (envelope: ComposedMail & { to: string }, mayBegin: MayBegin) => Promise<SmtpOutcome>
  /** What is known of the relay and of destinations; shared by all that sends in this process. */
  routes: Routes
  /** 0 to 1, to spread retries. */
  random: () => number
  /** Does an attempt within a span; left out where nothing is traced. */
  trace?: (stream: MailStream, mail: Claimed, work: () => Promise<AttemptResult>) => Promise<AttemptResult>
  /** Is told what came of each attempt, for metrics; must not throw. */
  onAttempt?: (stream: MailStream, mail: Claimed, result: AttemptResult) => void
}

/** What names a mail in every line about it: `mails show` finds it by `mail`, `editions show` the other. */
export const mailFacts = (
  stream: MailStream,
  { id, editionId }: Pick<Claimed, 'id' | 'editionId'>,
): { stream: MailStream; mail: string; edition: number | null } => ({ stream, mail: id, edition: editionId })

export interface AttemptOptions {
  /** Asked before each message: once it returns true, what has begun is finished and the rest is put back. */
  stopping: () => boolean
  /** `resend` by default; does not concern letters. */
  onUnknown?: OnUnknown
}

/** Wait between attempts of a message that cannot be composed; after so many attempts it fails. */
const COMPOSE_RETRY = 10 * MINUTE
const COMPOSE_ATTEMPTS = 3
/** Wait before a mail is tried again whose refusal could not be stored. */
const SUPPRESS_RETRY = 5 * MINUTE

/** A result of a claimed mail, with the defaults: no wait, no second copy, no reply. */
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

/** Puts a mail back in the queue as if it had not been claimed. */
export const putBack = (mail: Claimed): AttemptResult =>
  attemptResult(mail, { state: 'queued', reason: null, counts: false })

/**
 * Composes a claimed mail, hands it over, and returns what is to be recorded of it. `unrenderable` are the digests that
 * could not be rendered: it grows, and nobody tries one again for each of its readers.
 */
export const attempt = async (
  ports: AttemptPorts,
  stream: MailStream,
  mail: Claimed,
  { unrenderable, mayBegin }: { unrenderable: Set<number>; mayBegin: MayBegin },
  { stopping, onUnknown = 'resend' }: AttemptOptions,
): Promise<AttemptResult> => {
  const composed = await compose(ports, stream, mail, unrenderable)
  if (composed === null) return giveUpComposing(mail, 'could not be composed')
  let withdrawn = false
  let outcome: SmtpOutcome
  try {
    outcome = await ports.send({ ...composed, to: mail.email }, (at) => {
      withdrawn = !mayBegin(at)
      return !withdrawn
    })
  } catch (error) {
    // Nothing has left. It concerns this mail alone, and must not end the group.
    ports.log.error({ ...mailFacts(stream, mail), error: describeError(error) }, 'a mail cannot be given to any server')
    return giveUpComposing(mail, 'could not be given to a server')
  }
  // The next claim checks consent again, and finds the connection open.
  if (withdrawn) return putBack(mail)
  // Our stop is no failure of the mail: it does not wait for a retry, and the attempt is not counted.
  if (outcome.kind === 'unreachable' && stopping()) return putBack(mail)
  const throttled = ports.routes.record(mail, outcome)
  const isCommon = throttled?.cause === 'common'
  const next = decideNext(outcome, {
    attempts: mail.attempts,
    kind: stream === 'letters' ? 'letter' : 'delivery',
    waitedMs: mail.waitedMs,
    random: ports.random(),
    isCommon,
  })
  const reply = replyOf(outcome)
  switch (next.next) {
    case 'sent':
      return attemptResult(mail, { state: 'sent', reason: null, counts: true, reply })
    case 'resend':
      return resend(ports, stream, mail, next, stream !== 'letters' && onUnknown === 'hold', reply)
    case 'retry':
      return attemptResult(mail, {
        state: 'deferred',
        reason: isCommon ? REFUSED_LIKE_OTHERS + next.reason : next.reason,
        counts: next.counts,
        // While the relay is closed nothing is claimed; once it is open there is nothing to wait for.
        retryAfterMs:
          throttled?.route === 'relay' && !next.counts && (isCommon || isOfRelay(outcome)) ? 0 : next.afterMs,
        reply,
      })
    case 'failed':
      // Not stored as suppressed: it is refused once more and then suppressed.
      if (next.suppress && !(await suppressAddress(ports, stream, mail, next, reply)))
        return attemptResult(mail, {
          state: 'deferred',
          reason: next.reason,
          counts: false,
          retryAfterMs: SUPPRESS_RETRY,
          reply,
        })
      return attemptResult(mail, { state: 'failed', reason: next.reason, counts: true, reply })
  }
}

/** The result of a mail that we cannot make: tried again, and failed after three attempts. */
const giveUpComposing = (mail: Claimed, reason: string): AttemptResult =>
  attemptResult(mail, {
    state: mail.attempts + 1 >= COMPOSE_ATTEMPTS ? 'failed' : 'deferred',
    reason,
    counts: true,
    retryAfterMs: COMPOSE_RETRY,
  })

/** The composed mail; `null` where it cannot be composed, which is logged once a digest. */
const compose = async (
  ports: AttemptPorts,
  stream: MailStream,
  mail: Claimed,
  unrenderable: Set<number>,
): Promise<ComposedMail | null> => {
  if (mail.digestId !== null && unrenderable.has(mail.digestId)) return null
  try {
    return await ports.compose(mail)
  } catch (error) {
    const ofCohort = error instanceof UnrenderableDigest
    if (ofCohort && mail.digestId !== null) unrenderable.add(mail.digestId)
    ports.log.error(
      { ...mailFacts(stream, mail), digest: mail.digestId, error: describeError(error) },
      ofCohort ? 'a digest could not be rendered: nobody of its cohort gets it' : 'a mail could not be composed',
    )
    return null
  }
}

/** The connection died between the last byte and the answer: the server may have the mail. */
const resend = (
  { log }: AttemptPorts,
  stream: MailStream,
  mail: Claimed,
  { reason, afterMs }: NextStep & { next: 'resend' },
  hold: boolean,
  reply: ServerReply,
): AttemptResult => {
  if (hold) {
    log.warn(mailFacts(stream, mail), 'the connection died after the last byte: the mail is held until released')
    return attemptResult(mail, { state: 'unknown', reason, counts: true, reply })
  }
  log.warn(mailFacts(stream, mail), 'the connection died after the last byte: the mail is sent again and counted')
  return attemptResult(mail, { state: 'queued', reason, counts: true, resend: true, retryAfterMs: afterMs, reply })
}

/**
 * The server answered that the address does not exist: nothing is mailed to it any more. Resolves to whether that could be
 * stored; never rejects, for the outcome is to be recorded all the same.
 */
const suppressAddress = async (
  { db, log }: AttemptPorts,
  stream: MailStream,
  mail: Claimed,
  { reason, code }: NextStep & { next: 'failed' },
  reply: ServerReply,
): Promise<boolean> => {
  const cause = { class: 'hard', code, diagnostic: reply.said, source: 'smtp' } as const
  try {
    await db.transaction().execute(async (trx) => {
      // A curator has no subscription, and nothing is kept of what came back of their mail.
      if (mail.kind === 'curator') return suppressByAddress(trx, mail.email, { ...cause, reason })
      const sent = await readSentMail(trx, { stream, id: mail.id })
      await suppress(trx, mail.subscriberId, { ...cause, reason, editionId: sent?.editionId ?? null })
      // Stored as feedback, like bounces that come later: the alarm that stops an edition counts both together.
      if (sent !== null)
        await storeFeedback(
          trx,
          { ...sent, stream, id: mail.id, subscriberId: mail.subscriberId },
          { kind: 'bounce', ...cause },
        )
    })
  } catch (error) {
    log.warn(
      { ...mailFacts(stream, mail), code, error: describeError(error) },
      'an address could not be suppressed yet',
    )
    return false
  }
  log.info({ ...mailFacts(stream, mail), code }, 'the address does not exist: suppressed')
  return true
}
