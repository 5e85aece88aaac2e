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
 * A mail is **queued** in the transaction that caused it. Each lane of a mailer claims a group: one statement records the
 * outcomes of the lane's previous group, checks consent and suppression of the next, and makes each of these **sending**,
 * under a lease of 60 seconds by the database's clock and a fencing number one higher than before. While a server takes
 * its time the lease is renewed. Outcomes are recorded half a second after the first one, the group complete or not, and
 * only under the current fencing number: a mailer that was frozen and woke up cannot overwrite what its successor did. It
 * sends nothing either, since a mailer begins no message when its own monotonic clock leaves less than 10 seconds of lease.
 * Where a group goes fast the next is claimed before its last mails are through, and never more than 64 mails are a lane's.
 * A claimed mail that has not begun within 2 seconds is checked again first: nobody is mailed more than 2 seconds after
 * their unsubscribe was answered. Both conditions are checked once more when the connection is open.
 *
 * A digest is never lost. It arrives twice only if a mailer dies after the server took it and before that was recorded:
 * at most 64 mails a lane, and each such case is counted in `resent`. Where the operator wants to decide, it is held as
 * **unknown**; letters never are, since somebody waits for them. A final outcome of a held mail that its mailer still
 * records, sent or failed, counts.
 *
 * Nothing is claimed of an edition that is paused; what was claimed before is finished.
 *
 * A failure of the route does not count against the mail (`newsletter/routes`). A **relay** that refuses our login or our
 * sender, or cannot be reached five times in a row, closes for every mailer: nothing is claimed, claimed mails are put back
 * uncounted, and one mail is sent as a probe, a letter where one waits. One that cannot be reached is probed after five
 * seconds and in the end every half minute, one that refuses us every five minutes; the mailers' own clocks wake them, not
 * the tick. Once a probe is taken, sending goes on. A relay that bears less is given less, over all mailers, and more again
 * mail by mail. A **destination** that says it is given too much backs off and is then given less, and more again mail by
 * mail; one that five times in a row cannot be reached, breaks off or refuses us by its policy is closed like a relay. Mail
 * to it is deferred in the claim, untried, and holds up nobody; after a day it has expired.
 * Greylisting (450, 451 at RCPT) throttles nothing: the mail is only tried later.
 *
 * What a relay says of its own limits is read from its words, at any stage and with any code (`core/bounces/limit-phrases`).
 * With its quota used up, or our account stopped, it is closed and probed after two minutes and in the end every hour; by
 * its rate or its connections it is slowed. None of this counts against a mail, and a mail is kept for five days. Six
 * readers of three destinations who are refused in the same words, while no mail is taken, are refused by the relay,
 * whatever it says: it is closed, and what that did to the first of them is undone (`common-refusals`).
 *
 * Where the operator caps what is sent (`core/sending/send-limit`), mailers claim one after the other, and each mail counts
 * when it is claimed: so no cap is exceeded however many mailers there are, and if one dies what it had claimed has counted.
 * What was put back is given back. Without a cap the claim only looks whether there is one.
 */

import { MINUTE, SECOND } from '../../core/calendar.ts'
import { describeError } from '../../core/redact.ts'
import type { MailStream } from '../../store/database.ts'
import type { Claim } from '../../store/outbox/claims.ts'
import type { AttemptResult } from '../../store/outbox/outcomes.ts'
import { putBack } from './attempt.ts'
import {
  type ClaimedGroup,
  type GroupOptions,
  type GroupPorts,
  LEASE,
  recordAndClaimWithRetry,
  sendGroup,
  type Unrecorded,
} from './delivery-group.ts'
import type { Beside } from './routes.ts'

export interface MailerPorts extends GroupPorts {
  /** Wakes one more mailer, if any is idle. */
  wake: () => Promise<unknown>
  /** Wakes a mailer after so many milliseconds; without it what waits is found by the next tick. */
  wakeIn?: (ms: number) => void
}

/**
 * How many mails a lane with so many connections claims at a time: with those of the group before of which no result is
 * recorded, as many as there are connections and as many that wait for one, it never holds more than 64, for a lane that dies
 * may leave a second copy of each. Planning the statement costs Postgres as much as claiming a dozen mails, whatever their number.
 */
const groupOf = (connections: number): number => Math.min(64, Math.max(32, 8 * connections)) - 2 * connections
/** With a group that takes longer the time to claim the next does not matter, milliseconds. */
const SLOW = SECOND
const NOTHING_BESIDE: Beside = { claimed: [], deferred: 0, retryInMs: null }
/** What is to be tried again within this time is not left to the tick, which may come a minute late. */
const SOON = 2 * MINUTE

export interface DrainOptions extends GroupOptions {
  /** A lane claims a group, sends it over its connections, and claims the next. So many work beside each other. */
  lanes: number
}

/**
 * Sends all mails of a stream that are ready. Returns how many were sent; rejects with the error of the first lane that
 * failed, once all lanes have ended: the mails of that lane are left to their leases.
 */
export const drain = async (ports: MailerPorts, stream: MailStream, options: DrainOptions): Promise<number> => {
  let hasWoken = false
  // Where there is more than one group the next mailer comes to share the rest, and does the same.
  const wakeNext = () => {
    if (hasWoken) return
    hasWoken = true
    // The group in hand does not wait for it, nor is it lost with it: the next tick finds what is ready.
    ports.wake().catch((error) => ports.log.warn({ stream, error: describeError(error) }, 'no other mailer was woken'))
  }
  const lanes = Array.from({ length: options.lanes }, () => runLane(ports, stream, options, wakeNext))
  let sent = 0
  let failure: unknown
  for (const lane of await Promise.allSettled(lanes)) {
    if (lane.status === 'fulfilled') sent += lane.value
    else failure ??= lane.reason
  }
  if (failure !== undefined) throw failure
  return sent
}

/** A group of the next mails, and what was found while it was claimed. */
interface Taken extends ClaimedGroup {
  /** The results that were recorded with it. */
  recorded: AttemptResult[]
  found: Claim
  /** Mails that were deferred untried. */
  deferred: number
  retryInMs: number | null
}

/** Records results and claims the next group of up to `limit` mails. */
const take = async (
  ports: MailerPorts,
  stream: MailStream,
  { results, leaseEnds }: Unrecorded,
  { limit, connections }: { limit: number; connections: number },
): Promise<Taken> => {
  const { monotonic, routes } = ports
  const claimedAt = monotonic()
  const closings = routes.closings()
  const found = await recordAndClaimWithRetry(ports, stream, results, limit, leaseEnds)
  // A stop has a limit of 0: nothing more is claimed.
  const beside = limit === 0 ? NOTHING_BESIDE : await routes.claimBeside(stream, found, { limit, connections })
  return {
    mails: [...beside.claimed, ...found.claimed],
    claimedAt,
    besideAt: monotonic(),
    closings,
    recorded: results,
    found,
    deferred: found.deferred + beside.deferred,
    retryInMs: beside.retryInMs,
  }
}

/**
 * The next group, claimed while the last mails of the one before are sent. If these take long it is given back, so that no
 * mail waits for a server that keeps another.
 */
const createAhead = (giveBack: (taken: Taken) => Promise<void>) => {
  let claiming: Promise<Taken> | null = null
  let givingBack: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  const end = async (): Promise<Taken | null> => {
    clearTimeout(timer)
    const work = claiming
    claiming = null
    const taken = await work
    return taken === null || taken.mails.length === 0 ? null : taken
  }
  const returnIt = async () => {
    const taken = await end()
    if (taken !== null) await giveBack(taken)
  }
  return {
    begin: (work: Promise<Taken>) => {
      // Its error is met by `take`.
      work.catch(() => undefined)
      claiming = work
      timer = setTimeout(() => {
        givingBack = returnIt()
        givingBack.catch(() => undefined)
      }, 2 * SLOW)
    },
    /** What was claimed; `null` where that was nothing, which says little, for not all results were recorded yet. */
    take: async (): Promise<Taken | null> => {
      await givingBack
      return end()
    },
    giveBack: async () => {
      await givingBack
      await returnIt()
    },
  }
}

const runLane = async (
  ports: MailerPorts,
  stream: MailStream,
  options: DrainOptions,
  wakeNext: () => void,
): Promise<number> => {
  const { monotonic, routes } = ports
  const { connections, stopping } = options
  const size = groupOf(connections)
  const takeUpTo = (limit: number, recorded: Unrecorded) => take(ports, stream, recorded, { limit, connections })
  let sent = 0
  const nothing: Unrecorded = { results: [], leaseEnds: monotonic() + LEASE }
  let unrecorded = nothing
  const recordAll = async () => {
    const { results, leaseEnds } = unrecorded
    unrecorded = nothing
    if (results.length > 0) await recordAndClaimWithRetry(ports, stream, results, 0, leaseEnds)
  }
  const wakeSoon = (ms: number | null) => {
    if (ms !== null && ms <= SOON) ports.wakeIn?.(ms)
  }
  const giveBack = async ({ mails, claimedAt }: Taken) => {
    routes.endGroup(mails, mails)
    await recordAndClaimWithRetry(ports, stream, mails.map(putBack), 0, claimedAt + LEASE)
  }
  const ahead = createAhead(giveBack)
  try {
    for (;;) {
      let taken = await ahead.take()
      if (routes.hasReports()) {
        // Outcomes first: what other mailers are told of routes may fail or wait. Only then is more claimed.
        await recordAll()
        if (taken !== null) await giveBack(taken)
        taken = null
        await routes.settle()
      }
      if (taken === null) {
        // Nothing to record and nothing to claim.
        if (stopping() && unrecorded.results.length === 0) return sent
        const recorded = unrecorded
        unrecorded = nothing
        taken = await takeUpTo(stopping() ? 0 : size, recorded)
      }
      const { mails, found, recorded, deferred, retryInMs } = taken
      if (mails.length === 0 && deferred === 0) {
        // What this statement put back is ready again, but it could not claim it yet.
        const isReady = recorded.some((result) => result.state === 'queued' && !result.resend)
        if (!stopping() && !found.relayClosed && isReady) continue
        wakeSoon(retryInMs)
        return sent
      }
      const isFull = found.claimed.length + found.deferred === size
      if (isFull) wakeNext()
      const { besideAt } = taken
      const claimAhead = (concluded: () => Unrecorded) => {
        const isSlow = monotonic() - besideAt > SLOW
        if (!isSlow && !stopping() && !routes.hasReports()) ahead.begin(takeUpTo(size, concluded()))
      }
      // Under limits each group is claimed once the one before is done: how much may be sent is known only then.
      const isUnlimited = found.claimed.length === size && mails.length === size && !found.throttledDue
      const earlier = unrecorded
      unrecorded = nothing
      const done = await sendGroup(ports, stream, taken, earlier, options, isUnlimited ? claimAhead : null)
      wakeSoon(done.retryInMs)
      sent += done.sent
      unrecorded = done
    }
  } finally {
    // After an error: what is known is not lost with it, and what was claimed ahead is not left to its lease.
    await recordAll()
    await ahead.giveBack()
  }
}
