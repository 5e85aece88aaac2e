/**
 * Delivery: what becomes of a mail that is owed, letter or digest.
 *
 *     queued ─► sending ─► sent
 *                 ├──────► deferred ─► sending again, later
 *                 ├──────► failed (final) · skipped (no longer wanted)
 *                 ▼
 *        lease ran out, or the connection died after the last byte: outcome unknown
 *                 ├──────► queued again, same Message-ID, counted as resent
 *                 └──────► with ON_UNKNOWN=hold, digests: unknown, until released by hand, then as above
 *
 * A mail is **queued** in the transaction that caused it. A lane of a mailer claims a group: in one statement the outcomes
 * of its group before are recorded, consent and suppression of the next are checked, and each of these becomes
 * **sending**, under a lease of 60 seconds by the database's clock and a fencing number one higher than before. While the
 * server takes its time the lease is renewed, and half a second after a first outcome it is recorded, the group complete
 * or not. An outcome is recorded under the fence, so a mailer that was frozen and woke up cannot overwrite what its
 * successor did; and it begins no message when its own steady clock leaves less than 10 seconds of lease, so it sends
 * nothing either. A claimed mail that has not begun within 2 seconds is asked about again first: nobody is written to more
 * than 2 seconds after their unsubscribe was answered. Both are looked at once more when the connection stands.
 *
 * A digest is never lost. It arrives twice only if a mailer dies after the server took it and before that was recorded:
 * at most one group a lane, and each such case is counted in `resent`. Where that is to be decided by hand it is held as
 * **unknown**; letters never are, since somebody waits for them. What is told late of one that is held, sent or refused for
 * good, still counts.
 *
 * Nothing is claimed of an edition that is paused; what was claimed before is finished.
 *
 * What is wrong with the way is not held against the mail (`newsletter/ways`). A **relay** that refuses our login or our
 * sender at all, or five times in a row cannot be reached, closes for every mailer: nothing is claimed, what was claimed is
 * put back uncounted, and after half a minute, then after a minute or more and at last every five, one mail tries it; when
 * that goes through, sending goes on. A **destination** that says it is given too much rests and is then given less, more
 * again mail by mail; one that five times in a row cannot be reached, breaks off or refuses us by its policy is closed like
 * a relay. What goes there is put aside in the claim, untried, and holds up nobody; after a day it has expired.
 * Greylisting (450, 451 at RCPT) slows nobody down: the mail is only tried later.
 */
import { MINUTE, SECOND } from '../core/calendar.ts'
import { describeError } from '../core/redact.ts'
import {
  type AttemptResult,
  type Claim,
  type Claimed,
  type MailStream,
  record,
  recordAndClaim,
  renew,
  stillWanted,
} from '../store/deliveries.ts'
import { type AttemptOptions, type AttemptPorts, attempt, attemptResult } from './attempt.ts'

export interface MailerPorts extends AttemptPorts {
  /** Milliseconds of a clock that never jumps. */
  monotonic: () => number
  /** Wakes one more mailer, if any is idle. */
  wake: () => Promise<unknown>
}

const LEASE = MINUTE
const RENEW_EVERY = 15 * SECOND
const LEAST_LEASE = 10 * SECOND
const RECHECK_AFTER = 2 * SECOND
const RECORD_AFTER = SECOND / 2
const RECORD_RETRY = SECOND / 2
const GROUP = 32

const NOTHING_CLAIMED: Claim = { claimed: [], aside: 0, due: false, closed: false }

export interface DrainOptions extends AttemptOptions {
  /** Groups under way at a time. */
  lanes: number
  /** Messages under way at a time in each lane. */
  connections: number
}

/** Sends until nothing of the ledger is ready. Returns how many were sent. */
export const drain = async (ports: MailerPorts, stream: MailStream, options: DrainOptions): Promise<number> => {
  let called = false
  // Where there is more than one group the next mailer comes to share the rest, and does the same.
  const callNext = async () => {
    if (called) return
    called = true
    await ports.wake()
  }
  const lanes = Array.from({ length: options.lanes }, () => runLane(ports, stream, options, callNext))
  let sent = 0
  let fault: unknown
  // A lane that fails leaves its mails to their leases; the others go on.
  for (const lane of await Promise.allSettled(lanes)) {
    if (lane.status === 'fulfilled') sent += lane.value
    else fault ??= lane.reason
  }
  if (fault !== undefined) throw fault
  return sent
}

const runLane = async (
  ports: MailerPorts,
  stream: MailStream,
  options: DrainOptions,
  callNext: () => Promise<void>,
): Promise<number> => {
  let sent = 0
  let results: AttemptResult[] = []
  let leaseEnds = ports.monotonic() + LEASE
  for (;;) {
    const claimedAt = ports.monotonic()
    const moment = ports.routes.moment()
    // Nothing to record and nothing to claim: no reason to ask.
    if (options.stopping() && results.length === 0) return sent
    const settled = results
    const met = await settle(ports, stream, settled, options.stopping() ? 0 : GROUP, leaseEnds)
    results = []
    if (met.aside > 0) await ports.routes.clear(stream)
    const tries = met.closed || met.due ? await ports.routes.tries(stream, met) : []
    const group = [...tries, ...met.claimed]
    if (group.length === 0 && met.aside === 0) {
      // What was put back is ready again, but not yet to the statement that put it back.
      const isReady = settled.some((result) => result.state === 'queued' && !result.resend)
      if (options.stopping() || met.closed || !isReady) return sent
      continue
    }
    if (met.claimed.length + met.aside === GROUP) await callNext()
    leaseEnds = claimedAt + LEASE
    const done = await sendGroup(ports, stream, group, { claimedAt, moment }, options)
    await ports.routes.tell(group)
    sent += done.sent
    results = done.results
    leaseEnds = done.leaseEnds
  }
}

/**
 * Records outcomes and claims the next group, through a restart of the database: losing the outcomes would send every one
 * of these mails again. Gives up when the leases have ended, for then they count no more.
 */
const settle = async (
  ports: MailerPorts,
  stream: MailStream,
  results: AttemptResult[],
  most: number,
  leaseEnds: number,
): Promise<Claim> => {
  const { db, log, monotonic, routes } = ports
  for (;;) {
    try {
      const { recorded, ...met } =
        most === 0
          ? { ...NOTHING_CLAIMED, recorded: await record(db, stream, results) }
          : await recordAndClaim(db, stream, results, most, routes.relay)
      const lost = results.length - recorded
      if (lost > 0) log.warn({ stream, lost }, 'outcomes came too late: their leases had passed to another mailer')
      return met
    } catch (error) {
      if (results.length === 0 || monotonic() > leaseEnds) throw error
      log.warn({ stream, waiting: results.length, error: describeError(error) }, 'outcomes could not be recorded yet')
      await new Promise((resume) => setTimeout(resume, RECORD_RETRY))
    }
  }
}

/** What a group came to: `verdicts` are those that are not recorded yet. */
interface GroupDone {
  sent: number
  results: AttemptResult[]
  leaseEnds: number
}

const sendGroup = async (
  ports: MailerPorts,
  stream: MailStream,
  group: Claimed[],
  { claimedAt, moment }: { claimedAt: number; moment: number },
  options: DrainOptions,
): Promise<GroupDone> => {
  const { db, log, monotonic, routes } = ports
  const waiting = [...group]
  /** Digests that could not be rendered: once is enough for all of a group. */
  const spoiled = new Set<number>()
  const underWay = new Set<Claimed>()
  let results: AttemptResult[] = []
  let checkedAt = claimedAt
  let leasedAt = claimedAt
  let sent = 0
  let recording: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let fault: unknown

  // A group that takes its time must not keep what is known of it to itself: should this mailer die, it would be sent again.
  const recordSome = () => {
    timer = undefined
    const batch = results
    results = []
    recording = recording
      .then(() => settle(ports, stream, batch, 0, leasedAt + LEASE))
      .then(
        () => undefined,
        (error) => {
          fault ??= error
        },
      )
  }
  const note = (result: AttemptResult) => {
    results.push(result)
    if (waiting.length > 0 || underWay.size > 0) timer ??= setTimeout(recordSome, RECORD_AFTER)
  }

  const heartbeat = setInterval(() => {
    const held = [...underWay, ...waiting]
    const askedAt = monotonic()
    renew(db, stream, held).then(
      () => {
        leasedAt = askedAt
      },
      (error) => log.warn({ stream, error: describeError(error) }, 'leases could not be renewed'),
    )
  }, RENEW_EVERY)

  const next = async (): Promise<void> => {
    for (;;) {
      const mail = waiting.shift()
      if (mail === undefined) return
      const tooLate = monotonic() - leasedAt > LEASE - LEAST_LEASE
      if (options.stopping() || tooLate || routes.closedSince(moment, mail)) {
        note(attemptResult(mail, { state: 'queued', reason: null, counts: false }))
        continue
      }
      underWay.add(mail)
      try {
        if (monotonic() - checkedAt > RECHECK_AFTER) {
          const askedAt = monotonic()
          const asked = [mail, ...waiting]
          const wanted = await stillWanted(db, stream, asked)
          checkedAt = askedAt
          for (const other of asked) {
            if (wanted.has(other.id)) continue
            note(attemptResult(other, { state: 'skipped', reason: 'no longer wanted', counts: false }))
            const at = waiting.indexOf(other)
            if (at >= 0) waiting.splice(at, 1)
          }
          if (!wanted.has(mail.id)) continue
        }
        // Composing and connecting take their time, and a machine may stand still meanwhile.
        const wantedAt = checkedAt
        const mayBegin = () => monotonic() - leasedAt <= LEASE - LEAST_LEASE && monotonic() - wantedAt <= RECHECK_AFTER
        const result = await attempt(ports, stream, mail, { spoiled, mayBegin }, options)
        if (result.state === 'sent') sent++
        note(result)
      } finally {
        underWay.delete(mail)
      }
    }
  }

  try {
    const concurrency = Array.from({ length: Math.min(options.connections, group.length) }, next)
    const ended = await Promise.allSettled(concurrency)
    for (const seat of ended) if (seat.status === 'rejected') fault ??= seat.reason
  } finally {
    clearInterval(heartbeat)
    clearTimeout(timer)
  }
  await recording
  if (fault !== undefined) {
    // What is known is not lost with what went wrong.
    await settle(ports, stream, results, 0, leasedAt + LEASE)
    throw fault
  }
  return { sent, results, leaseEnds: leasedAt + LEASE }
}
