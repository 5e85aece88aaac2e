/** A group of claimed mails: sent over a lane's connections under renewed leases, its results recorded as they come. */
import { MINUTE, SECOND } from '../../core/calendar.ts'
import { describeError } from '../../core/redact.ts'
import type { MailStream } from '../../store/database.ts'
import { type Claim, type Claimed, recordAndClaim } from '../../store/outbox/claims.ts'
import { renew, stillWanted } from '../../store/outbox/leases.ts'
import { type AttemptResult, record } from '../../store/outbox/outcomes.ts'
import { type AttemptOptions, type AttemptPorts, attempt, attemptResult, type MayBegin, putBack } from './attempt.ts'

export interface GroupPorts extends AttemptPorts {
  /** Milliseconds of a clock that never jumps. */
  monotonic: () => number
}

export interface GroupOptions extends AttemptOptions {
  /** Messages in flight at a time in each lane. */
  connections: number
}

/** As in `store/leases`, by our own clock. */
export const LEASE = MINUTE
const RENEW_EVERY = 15 * SECOND
/** With less of the lease left no message is begun. */
const LEAST_LEASE = 10 * SECOND
/** A mail that was claimed or checked longer ago than this is checked again before it begins. */
const RECHECK_AFTER = 2 * SECOND
/** A first result waits this long for others before it is recorded. */
const RECORD_AFTER = SECOND / 2
const RECORD_RETRY = SECOND / 2
/** Results are kept for so long after their leases have ended: as long as a database may take to be back. */
const RECORD_WITHIN = 15 * MINUTE

const NOTHING_CLAIMED: Claim = { claimed: [], deferred: 0, throttledDue: false, relayClosed: false, limited: false }

/**
 * Records results and claims up to `limit` mails as the next group, through a restart of the database: if the results were
 * lost, every one of these mails would be sent again. Usually that is one statement; once it has failed, and when the leases
 * have ended (`leaseEnds`, by the monotonic clock), the results come first, by themselves. Rejects where only the claim
 * fails, and when recording has failed until long after the end of the leases: until then results may still count, since
 * nobody else can have claimed the mails while the database was away.
 */
export const recordAndClaimWithRetry = async (
  { db, log, monotonic, routes }: GroupPorts,
  stream: MailStream,
  results: AttemptResult[],
  limit: number,
  leaseEnds: number,
): Promise<Claim> => {
  const countLost = (lost: number) => {
    if (lost > 0) log.warn({ stream, lost }, 'outcomes came too late: their leases had passed to another mailer')
  }
  let alone = limit === 0
  let unrecorded = results
  for (;;) {
    try {
      if (unrecorded.length > 0 && (alone || monotonic() > leaseEnds)) {
        countLost(unrecorded.length - (await record(db, stream, unrecorded)))
        unrecorded = []
      }
      if (limit === 0) return NOTHING_CLAIMED
      const { recorded, ...found } = await recordAndClaim(db, stream, unrecorded, limit, routes.relay)
      countLost(unrecorded.length - recorded)
      return found
    } catch (error) {
      if (unrecorded.length === 0 || monotonic() > leaseEnds + RECORD_WITHIN) throw error
      log.warn(
        { stream, waiting: unrecorded.length, error: describeError(error) },
        'outcomes could not be recorded yet',
      )
      if (alone) await new Promise((resume) => setTimeout(resume, RECORD_RETRY))
      alone = true
    }
  }
}

/** Renews the leases of the mails in hand every 15 seconds, until it is stopped. */
const keepLeases = (
  { db, log, monotonic }: GroupPorts,
  stream: MailStream,
  claimedAt: number,
  inHand: () => Claimed[],
) => {
  let leasedAt = claimedAt
  /** Ids of mails that another mailer has claimed since. */
  const lost = new Set<string>()
  const timer = setInterval(() => {
    const askedAt = monotonic()
    const asked = inHand()
    renew(db, stream, asked).then(
      (renewed) => {
        leasedAt = askedAt
        const ours = new Set(renewed)
        for (const { id } of asked) if (!ours.has(id)) lost.add(id)
      },
      (error) => log.warn({ stream, error: describeError(error) }, 'leases could not be renewed'),
    )
  }, RENEW_EVERY)
  return {
    /** When the leases end unless they are renewed, by the monotonic clock. */
    end: () => leasedAt + LEASE,
    /** Whether the mail is ours, with enough of its lease left to begin a message. */
    suffice: ({ id }: Claimed) => monotonic() - leasedAt <= LEASE - LEAST_LEASE && !lost.has(id),
    stop: () => clearInterval(timer),
  }
}

/**
 * Collects results and records them in batches while the group is in flight, so that a group that takes its time does not
 * keep what is known of it: should this mailer die, all of it would be sent again.
 */
const collectResults = (
  earlier: AttemptResult[],
  recordBatch: (batch: AttemptResult[]) => Promise<unknown>,
  isInFlight: () => boolean,
) => {
  let pending = [...earlier]
  let recording: Promise<void> = Promise.resolve()
  let failure: unknown
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    timer = undefined
    const batch = pending
    pending = []
    recording = recording
      .then(() => recordBatch(batch))
      .then(
        () => undefined,
        (error) => {
          failure ??= error
        },
      )
  }
  if (pending.length > 0) timer = setTimeout(flush, RECORD_AFTER)
  return {
    add: (result: AttemptResult) => {
      pending.push(result)
      if (isInFlight()) timer ??= setTimeout(flush, RECORD_AFTER)
    },
    /** What is not being recorded yet: whoever takes it records it. */
    take: (): AttemptResult[] => {
      clearTimeout(timer)
      timer = undefined
      const taken = pending
      pending = []
      return taken
    },
    /** Resolves to what is not recorded yet, and to the error of a batch that could not be recorded. */
    end: async () => {
      clearTimeout(timer)
      await recording
      return { unrecorded: pending, failure }
    },
  }
}

/**
 * Checks claimed mails of a group again before they begin, where the last check was too long ago: `waiting` are those that no
 * connection has in hand yet. What is wanted no more is taken out of them and concluded.
 */
const createRecheck = (
  { db, log, monotonic }: GroupPorts,
  stream: MailStream,
  group: { claimedAt: number; waiting: Claimed[]; conclude: (mail: Claimed, result: AttemptResult) => void },
) => {
  const { waiting, conclude } = group
  let checkedAt = group.claimedAt
  return {
    checkedAt: () => checkedAt,
    /**
     * Checks a mail that is in hand, and all that wait. Where the database does not answer, all of them are put back: nothing
     * is sent unchecked, and nothing is left to its lease.
     */
    isStillWanted: async (mail: Claimed): Promise<boolean> => {
      if (monotonic() - checkedAt <= RECHECK_AFTER) return true
      const askedAt = monotonic()
      const asked = [mail, ...waiting]
      let wanted: Set<string>
      try {
        wanted = await stillWanted(db, stream, asked)
      } catch (error) {
        log.warn({ stream, error: describeError(error) }, 'claimed mails could not be checked again: they are put back')
        for (const unchecked of [mail, ...waiting.splice(0)]) conclude(unchecked, putBack(unchecked))
        return false
      }
      checkedAt = askedAt
      for (const unwanted of asked.filter(({ id }) => !wanted.has(id))) {
        const at = waiting.indexOf(unwanted)
        if (at >= 0) waiting.splice(at, 1)
        // What another connection has taken meanwhile is its own: it may even be sent by now, and so not be ours any more.
        if (at >= 0 || unwanted === mail)
          conclude(unwanted, attemptResult(unwanted, { state: 'skipped', reason: 'no longer wanted', counts: false }))
      }
      return wanted.has(mail.id)
    },
  }
}

/** Results that are not recorded yet, and when the first of their leases ends, by the monotonic clock. */
export interface Unrecorded {
  results: AttemptResult[]
  leaseEnds: number
}

/** What a group came to. */
interface GroupDone extends Unrecorded {
  sent: number
  /** The shortest wait, milliseconds, of a mail that is to be tried again; `null` where there is none. */
  retryInMs: number | null
}

/** A group as it was claimed. */
export interface ClaimedGroup {
  mails: Claimed[]
  /** When it was claimed, by the monotonic clock. */
  claimedAt: number
  /** The same for mails that have a time to begin. */
  besideAt: number
  /** How many routes had been closed before. */
  closings: number
}

/**
 * Sends a group, and records what is unrecorded of the `earlier` one with its results. `onLast` is called once no more mails
 * wait than there are connections, so that the next group is claimed meanwhile; the results that it takes it records. Rejects
 * with the first error of the database or of ours, once all that was begun has ended and what is known is recorded.
 */
export const sendGroup = async (
  ports: GroupPorts,
  stream: MailStream,
  { mails, claimedAt, besideAt, closings }: ClaimedGroup,
  earlier: Unrecorded,
  options: GroupOptions,
  onLast: ((take: () => Unrecorded) => void) | null,
): Promise<GroupDone> => {
  const { monotonic, routes } = ports
  const waiting = [...mails]
  let isLast = onLast === null
  const inFlight = new Set<Claimed>()
  const unrenderable = new Set<number>()
  let sent = 0
  let retryInMs: number | null = null
  let failure: unknown
  const leases = keepLeases(ports, stream, claimedAt, () => [...inFlight, ...waiting])
  let earliest = earlier.results.length > 0 ? earlier.leaseEnds : Number.POSITIVE_INFINITY
  /** When the first lease ends of the results that are unrecorded: they are recorded from now on. */
  const firstEnd = () => {
    const ends = Math.min(earliest, leases.end())
    earliest = Number.POSITIVE_INFINITY
    return ends
  }
  const results = collectResults(
    earlier.results,
    (batch) => recordAndClaimWithRetry(ports, stream, batch, 0, firstEnd()),
    () => waiting.length > 0 || inFlight.size > 0,
  )

  /** Mails of which nothing left. */
  const unused: Claimed[] = []
  const conclude = (mail: Claimed, result: AttemptResult) => {
    if (result.reply === null) unused.push(mail)
    results.add(result)
  }

  const recheck = createRecheck(ports, stream, { claimedAt, waiting, conclude })
  const isInTime = (mail: Claimed) => !options.stopping() && leases.suffice(mail) && !routes.closedSince(closings, mail)

  const sendWaiting = async (): Promise<void> => {
    for (let mail = waiting.shift(); mail !== undefined; mail = waiting.shift()) {
      const claimed = mail
      inFlight.add(claimed)
      if (!isLast && waiting.length <= options.connections) {
        isLast = true
        onLast?.(() => ({ results: results.take(), leaseEnds: firstEnd() }))
      }
      try {
        const waitMs = isInTime(claimed) ? besideAt + (claimed.beginInMs ?? 0) - monotonic() : 0
        if (waitMs > 0) await new Promise((resume) => setTimeout(resume, waitMs))
        if (!isInTime(claimed)) {
          conclude(claimed, putBack(claimed))
          continue
        }
        if (!(await recheck.isStillWanted(claimed))) continue
        // Composing and connecting take their time, and a machine may stand still meanwhile.
        const wantedAt = recheck.checkedAt()
        const mayBegin: MayBegin = (at) =>
          leases.suffice(claimed) && (at === 'body' || monotonic() - wantedAt <= RECHECK_AFTER)
        const work = () => attempt(ports, stream, claimed, { unrenderable, mayBegin }, options)
        const result = await (ports.trace === undefined ? work() : ports.trace(stream, claimed, work))
        ports.onAttempt?.(stream, claimed, result)
        if (result.state === 'sent') sent++
        else if (result.retryAfterMs > 0) retryInMs = Math.min(retryInMs ?? result.retryAfterMs, result.retryAfterMs)
        conclude(claimed, result)
      } finally {
        inFlight.delete(claimed)
      }
    }
  }

  try {
    const connections = Array.from({ length: Math.min(options.connections, mails.length) }, sendWaiting)
    for (const ended of await Promise.allSettled(connections)) if (ended.status === 'rejected') failure ??= ended.reason
  } finally {
    leases.stop()
  }
  routes.endGroup(mails, unused)
  const recorded = await results.end()
  failure ??= recorded.failure
  if (failure !== undefined) {
    // What is known must not be lost with the failure.
    await recordAndClaimWithRetry(ports, stream, recorded.unrecorded, 0, firstEnd())
    throw failure
  }
  return { sent, retryInMs, results: recorded.unrecorded, leaseEnds: firstEnd() }
}
