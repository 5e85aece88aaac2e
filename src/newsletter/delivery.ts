/**
 * Delivery: what becomes of a mail that is owed, letter or digest.
 *
 *     queued ─► sending ─► sent
 *                 ├──────► deferred ─► sending again, later
 *                 ├──────► failed (final) · skipped (no longer wanted)
 *                 ▼
 *        lease ran out, or the connection died after the last byte: outcome unknown
 *                 └──────► queued again, same Message-ID, counted as resent
 *
 * A mail is **queued** in the transaction that caused it. A mailer claims a group: in one statement consent and
 * suppression are checked and each mail becomes **sending**, under a lease of 60 seconds by the database's clock and a
 * fencing number one higher than before. While the server takes its time the lease is renewed. The outcome is recorded
 * under the fence, so a mailer that was frozen and woke up cannot overwrite what its successor did; and it begins no
 * message when its own steady clock leaves less than 10 seconds of lease, so it sends nothing either. A claimed mail
 * that has not begun within 2 seconds is asked about again first: nobody is written to more than 2 seconds after their
 * unsubscribe was answered.
 *
 * A digest is never lost. It arrives twice only if a mailer dies after the server took it and before that was recorded;
 * each such case is counted in `resent`.
 */
import { MINUTE, SECOND } from '../core/calendar.ts'
import type { Log } from '../core/log.ts'
import { describeFault } from '../core/scrub.ts'
import { judgeOutcome, type SmtpOutcome } from '../core/smtp-outcome.ts'
import type { Database } from '../store/database.ts'
import { type Claimed, claim, type Ledger, record, renew, stillWanted, type Verdict } from '../store/deliveries.ts'
import { suppress } from '../store/subscribers.ts'

export interface MailerPorts {
  db: Database
  log: Log
  /** The message as bytes for one subscriber; the same mail gives the same bytes again. */
  compose: (mail: Claimed) => Promise<{ from: string; message: Buffer }>
  send: (envelope: { from: string; to: string; message: Buffer }) => Promise<SmtpOutcome>
  /** Milliseconds of a clock that never jumps. */
  steady: () => number
  /** 0 to 1, to spread retries. */
  random: () => number
  /** Wakes one more mailer, if any is idle. */
  ring: () => Promise<unknown>
}

const LEASE = MINUTE
const RENEW_EVERY = 15 * SECOND
const LEAST_LEASE = 10 * SECOND
const RECHECK_AFTER = 2 * SECOND
const RECORD_RETRY = SECOND / 2
const GROUP = 32
/** A message that cannot be composed is tried again at this pace, and given up after three tries. */
const COMPOSE_RETRY = 10 * MINUTE
const COMPOSE_TRIES = 3

/**
 * Sends until nothing of the ledger is ready, `lanes` groups at a time, `connections` messages at a time in all.
 * `stopping` is asked before each message: when it says yes, what has begun is finished and the rest is put back.
 * Returns how many were sent.
 */
export const drain = async (
  ports: MailerPorts,
  ledger: Ledger,
  options: { connections: number; stopping: () => boolean },
): Promise<number> => {
  let sent = 0
  let rung = false
  while (!options.stopping()) {
    const claimedAt = ports.steady()
    const group = await claim(ports.db, ledger, GROUP)
    if (group.length === 0) break
    // Where there is more than one group the next mailer comes to share the rest, and does the same.
    if (group.length === GROUP && !rung) {
      rung = true
      await ports.ring()
    }
    sent += await sendGroup(ports, ledger, group, claimedAt, options)
  }
  return sent
}

const sendGroup = async (
  ports: MailerPorts,
  ledger: Ledger,
  group: Claimed[],
  claimedAt: number,
  options: { connections: number; stopping: () => boolean },
): Promise<number> => {
  const { db, log, steady } = ports
  const waiting = [...group]
  const underWay = new Set<Claimed>()
  const verdicts: Verdict[] = []
  let checkedAt = claimedAt
  let leasedAt = claimedAt
  let sent = 0
  let recording: Promise<void> | null = null
  let fault: unknown

  const recordAll = async () => {
    // What is settled while a batch is written down is the next batch: sending waits for no recording, and should this
    // mailer die, few mails were taken by the server and not recorded.
    for (let batch = verdicts.splice(0); batch.length > 0; batch = verdicts.splice(0)) {
      try {
        const taken = new Set(await recordSurely(ports, ledger, batch, leasedAt + LEASE))
        const lost = batch.filter((verdict) => !taken.has(verdict.id)).length
        if (lost > 0) log.warn({ ledger, lost }, 'outcomes came too late: their leases had passed to another mailer')
      } catch (error) {
        fault ??= error
      }
    }
    recording = null
  }
  const settle = (verdict: Verdict) => {
    verdicts.push(verdict)
    recording ??= recordAll()
  }

  const heartbeat = setInterval(() => {
    const held = [...underWay, ...waiting]
    const askedAt = steady()
    renew(db, ledger, held).then(
      () => {
        leasedAt = askedAt
      },
      (error) => log.warn({ ledger, trouble: describeFault(error) }, 'leases could not be renewed'),
    )
  }, RENEW_EVERY)

  const next = async (): Promise<void> => {
    for (;;) {
      const mail = waiting.shift()
      if (mail === undefined) return
      if (options.stopping() || steady() - leasedAt > LEASE - LEAST_LEASE) {
        settle(verdictOf(mail, { state: 'queued', reason: null, counts: false }))
        continue
      }
      underWay.add(mail)
      try {
        if (steady() - checkedAt > RECHECK_AFTER) {
          const askedAt = steady()
          const asked = [mail, ...waiting]
          const wanted = await stillWanted(db, ledger, asked)
          checkedAt = askedAt
          for (const other of asked) {
            if (wanted.has(other.id)) continue
            settle(verdictOf(other, { state: 'skipped', reason: 'no longer wanted', counts: false }))
            const at = waiting.indexOf(other)
            if (at >= 0) waiting.splice(at, 1)
          }
          if (!wanted.has(mail.id)) continue
        }
        const verdict = await attempt(ports, ledger, mail, options.stopping)
        if (verdict.state === 'sent') sent++
        settle(verdict)
      } finally {
        underWay.delete(mail)
      }
    }
  }

  try {
    const lanes = Array.from({ length: Math.min(options.connections, group.length) }, next)
    const ended = await Promise.allSettled(lanes)
    for (const lane of ended) if (lane.status === 'rejected') fault ??= lane.reason
  } finally {
    clearInterval(heartbeat)
  }
  await recording
  if (fault !== undefined) throw fault
  return sent
}

const verdictOf = (
  mail: Claimed,
  verdict: Pick<Verdict, 'state' | 'reason' | 'counts'> & Partial<Verdict>,
): Verdict => ({
  id: mail.id,
  localDate: mail.localDate,
  fence: mail.fence,
  retryAfterMs: 0,
  resend: false,
  ...verdict,
})

const attempt = async (
  ports: MailerPorts,
  ledger: Ledger,
  mail: Claimed,
  stopping: () => boolean,
): Promise<Verdict> => {
  const { db, log } = ports
  let composed: { from: string; message: Buffer }
  try {
    composed = await ports.compose(mail)
  } catch (error) {
    log.error(
      { ledger, id: mail.id, digest: mail.digestId, trouble: describeFault(error) },
      'a mail could not be composed',
    )
    return verdictOf(mail, {
      state: mail.attempts + 1 >= COMPOSE_TRIES ? 'failed' : 'deferred',
      reason: 'could not be composed',
      counts: true,
      retryAfterMs: COMPOSE_RETRY,
    })
  }
  const outcome = await ports.send({ ...composed, to: mail.email })
  // That we stop is no trouble of the mail's: it does not wait for the time of a retry, and no try is counted.
  if (outcome.kind === 'unreachable' && stopping())
    return verdictOf(mail, { state: 'queued', reason: null, counts: false })
  const judged = judgeOutcome(outcome, {
    attempts: mail.attempts,
    kind: ledger === 'letters' ? 'letter' : 'delivery',
    waitedMs: mail.waitedMs,
    random: ports.random(),
  })
  switch (judged.next) {
    case 'sent':
      return verdictOf(mail, { state: 'sent', reason: null, counts: true })
    case 'resend':
      log.warn({ ledger, id: mail.id }, 'the connection died after the last byte: the mail is sent again and counted')
      return verdictOf(mail, {
        state: 'queued',
        reason: judged.reason,
        counts: true,
        resend: true,
        retryAfterMs: judged.afterMs,
      })
    case 'retry':
      return verdictOf(mail, {
        state: 'deferred',
        reason: judged.reason,
        counts: judged.counts,
        retryAfterMs: judged.afterMs,
      })
    case 'failed':
      if (judged.suppress) {
        await suppress(db, mail.subscriberId, { reason: judged.reason, code: judged.code, source: 'smtp' })
        log.info({ ledger, id: mail.id, code: judged.code }, 'the address does not exist: suppressed')
      }
      return verdictOf(mail, { state: 'failed', reason: judged.reason, counts: true })
  }
}

/** Records outcomes through a restart of the database: losing them would send every one of these mails again. */
const recordSurely = async (
  ports: MailerPorts,
  ledger: Ledger,
  verdicts: Verdict[],
  until: number,
): Promise<string[]> => {
  for (;;) {
    try {
      return await record(ports.db, ledger, verdicts)
    } catch (error) {
      if (ports.steady() > until) throw error
      ports.log.warn(
        { ledger, waiting: verdicts.length, trouble: describeFault(error) },
        'outcomes could not be recorded yet',
      )
      await new Promise((resume) => setTimeout(resume, RECORD_RETRY))
    }
  }
}
