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
 * A claimed mail that has not begun within 2 seconds is checked again first: nobody is mailed more than 2 seconds after
 * their unsubscribe was answered. Both conditions are checked once more when the connection is open.
 *
 * A digest is never lost. It arrives twice only if a mailer dies after the server took it and before that was recorded:
 * at most one group a lane, and each such case is counted in `resent`. Where the operator wants to decide, it is held as
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

import { MINUTE } from '../../core/calendar.ts'
import { describeError } from '../../core/redact.ts'
import type { MailStream } from '../../store/database.ts'
import type { AttemptResult } from '../../store/outbox/outcomes.ts'
import { type GroupOptions, type GroupPorts, LEASE, recordAndClaimWithRetry, sendGroup } from './delivery-group.ts'
import type { Beside } from './routes.ts'

export interface MailerPorts extends GroupPorts {
  /** Wakes one more mailer, if any is idle. */
  wake: () => Promise<unknown>
  /** Wakes a mailer after so many milliseconds; without it what waits is found by the next tick. */
  wakeIn?: (ms: number) => void
}

/**
 * How many mails a lane with so many connections claims at a time. Planning its statement costs Postgres as much as claiming
 * a dozen mails, whatever their number; and a lane that dies may leave a second copy of each.
 */
const groupOf = (connections: number): number => Math.min(64, Math.max(32, 8 * connections))
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

const runLane = async (
  ports: MailerPorts,
  stream: MailStream,
  options: DrainOptions,
  wakeNext: () => void,
): Promise<number> => {
  const { monotonic, routes } = ports
  const size = groupOf(options.connections)
  let sent = 0
  let results: AttemptResult[] = []
  let leaseEnds = monotonic() + LEASE
  const wakeSoon = (ms: number | null) => {
    if (ms !== null && ms <= SOON) ports.wakeIn?.(ms)
  }
  for (;;) {
    if (routes.hasReports()) {
      // Outcomes first: what other mailers are told of routes may fail or wait. Only then is more claimed.
      if (results.length > 0) await recordAndClaimWithRetry(ports, stream, results, 0, leaseEnds)
      results = []
      await routes.settle()
    }
    const claimedAt = monotonic()
    const closings = routes.closings()
    // Nothing to record and nothing to claim.
    if (options.stopping() && results.length === 0) return sent
    const recorded = results
    const limit = options.stopping() ? 0 : size
    const found = await recordAndClaimWithRetry(ports, stream, recorded, limit, leaseEnds)
    results = []
    // A stop has a limit of 0: nothing more is claimed.
    const beside =
      limit === 0
        ? NOTHING_BESIDE
        : await routes.claimBeside(stream, found, { limit, connections: options.connections })
    const besideAt = monotonic()
    const group = [...beside.claimed, ...found.claimed]
    if (group.length === 0 && found.deferred + beside.deferred === 0) {
      // What this statement put back is ready again, but it could not claim it yet.
      const isReady = recorded.some((result) => result.state === 'queued' && !result.resend)
      if (!options.stopping() && !found.relayClosed && isReady) continue
      wakeSoon(beside.retryInMs)
      return sent
    }
    if (found.claimed.length + found.deferred === size) wakeNext()
    leaseEnds = claimedAt + LEASE
    const done = await sendGroup(ports, stream, group, { claimedAt, besideAt, closings }, options)
    wakeSoon(done.retryInMs)
    sent += done.sent
    results = done.results
    leaseEnds = done.leaseEnds
  }
}
