/**
 * Routes: what a mailer learns of its relay and of destinations, and shares with all other mailers by the database.
 *
 * A throttled route has a row that every mailer's claim looks at; any other has none. While a relay is closed nothing is
 * claimed for it; after the back-off one mail goes as a probe. What goes to a destination that backs off is deferred
 * untried; after the back-off as many go at a time as its pace allows (`core/sending/pace`). When a route closes, a mailer
 * puts back what it has claimed for it.
 */

import type { Log } from '../../core/log.ts'
import { describeError } from '../../core/redact.ts'
import { ADVICE } from '../../core/sending/advice.ts'
import { countOutcome, NO_STREAK, type Streak, type Throttle } from '../../core/sending/breaker.ts'
import { destinationOf } from '../../core/sending/destination.ts'
import { isSlow, type Pace, slowDown, speedUp, type ThrottleCause } from '../../core/sending/pace.ts'
import { withoutName, wordsOfRefusal, wordsOfReply } from '../../core/sending/refusal-words.ts'
import { causeOf, describeOutcome, type SmtpOutcome } from '../../core/sending/smtp-outcome.ts'
import { type Database, MAIL_QUEUES, MAIL_STREAMS, type MailQueue, type MailStream } from '../../store/database.ts'
import { type Claim, type Claimed, claimThrottled } from '../../store/outbox/claims.ts'
import { deferThrottled, expireDeferred, requeueDeferred } from '../../store/outbox/deferred-mail.ts'
import { claimRestricted, type RestrictedClaim } from '../../store/outbox/restricted-claims.ts'
import { forgetOldCounts, uncount } from '../../store/outbox/send-limits.ts'
import {
  changeRoute,
  forgetIdleRoutes,
  type Route,
  type RouteState,
  releaseProbe,
} from '../../store/outbox/throttled-routes.ts'
import { undoCommonRefusals } from './common-refusals.ts'
import { createRouteReports } from './route-reports.ts'

export interface Routes {
  /** The relay's name, as claims need it. */
  relay: string
  /** How many closings of routes this process has seen. To be read before a group is claimed. */
  closings(): number
  /** Whether the relay or the mail's destination was closed after so many closings: then the mail is put back. */
  closedSince(closings: number, mail: Claimed): boolean
  /**
   * Counts an outcome, and returns the route that it closed or slowed, and why: with `common` the refusal is the relay's,
   * whatever it says. Other mailers are told beside the sending: nothing here waits or throws.
   */
  record(mail: Claimed, outcome: SmtpOutcome): Throttle | null
  /**
   * At the end of a group: counts which throttled routes took mail, and gives back the right to an unused probe. Of the
   * `unused` mails nothing left: they do not count against the operator's caps.
   */
  endGroup(group: readonly Claimed[], unused: readonly Claimed[]): void
  /** Whether the database does not know yet all that was recorded here. */
  hasReports(): boolean
  /** Resolves when the database knows it, or could not be told. Never rejects. To be awaited before the next claim. */
  settle(): Promise<void>
  /**
   * What a claim leaves to be done: defers in bulk what is ready before others and goes to a throttled destination, and
   * claims up to `limit` mails that may go beside the usual claim: those that a closed or slowed relay may be given, what
   * the operator's caps leave (a second, no more than a lane has `connections`), or throttled destinations. Never rejects: what was claimed already is not to wait for it.
   */
  claimBeside(
    stream: MailStream,
    found: Omit<Claim, 'claimed'>,
    options: { limit: number; connections: number },
  ): Promise<Beside>
}

/** What was claimed beside the usual claim. */
export type Beside = Pick<RestrictedClaim, 'claimed' | 'deferred' | 'retryInMs'>

interface RoutePorts {
  db: Database
  log: Log
  /** `host:port`. */
  relay: string
  /** The service's clock. */
  now: () => Date
  /** Wakes mailers: called when the relay takes mail again. */
  wake?: (queueName: MailQueue) => Promise<unknown>
}

/** Mails deferred, requeued or given up by one statement. */
const BATCH = 5_000

/** The routes of one process, which knows of no throttled route but by the database. All that sends in a process shares it. */
export const createRoutes = (ports: RoutePorts): Routes => {
  const { db, log, relay } = ports
  const closings = createClosings()
  const reports = createRouteReports(log)
  let streak: Streak = NO_STREAK
  let groups = 0
  /** The mails that probe a closed relay, by id, with the refusal in common that it is closed for, if it is for one. */
  const probing = new Map<string, string | null>()
  /** Ids of the mails given to a slowed relay. */
  const slowed = new Set<string>()
  /** Mails taken by throttled routes and not reported yet. */
  const taken = new Map<string, number>()
  const countTaken = (key: string) => taken.set(key, (taken.get(key) ?? 0) + 1)

  /** Whether a refusal was found to be common since the relay was last open. */
  let seenCommon = false

  const reopen = () => {
    seenCommon = false
    reports.add('relay', () => reopenRelay(ports))
  }
  const recordTaken = (mail: Claimed, { isProbe, isSlowed }: { isProbe: boolean; isSlowed: boolean }): null => {
    if (isProbe) reopen()
    if (isSlowed) countTaken(RELAY)
    if (mail.waitsFor !== null) countTaken(mail.waitsFor)
    return null
  }

  return {
    relay,
    closings: closings.count,
    closedSince: closings.since,
    record: (mail, outcome) => {
      const found = causeOf(outcome)
      const probedFor = probing.get(mail.id) ?? null
      const isProbe = probing.delete(mail.id)
      const isSlowed = slowed.delete(mail.id)
      // Nothing to count and no throttled route: the case of nearly every mail.
      if (found === 'none' && streak === NO_STREAK && !isProbe && !isSlowed && mail.waitsFor === null) return null
      const destination = destinationOf(mail.email)
      const words = wordsOfRefusal(outcome, mail.email)
      const refusal = words === null || !mayBeCommon(mail, outcome) ? null : { words, reader: mail.subscriberId }
      const counted = countOutcome(streak, destination.name, found, refusal)
      streak = counted.streak
      const isCommon =
        counted.throttle?.cause === 'common' ||
        (probedFor !== null && words !== null && wordsOfReply(probedFor, mail.email) === words)
      if (isCommon) seenCommon = true
      const cause = isCommon ? 'common' : found
      if (cause === 'none' || cause === 'recipient' || outcome.kind === 'sent')
        return recordTaken(mail, { isProbe, isSlowed })
      let { throttle } = counted
      // One failure of a probe closes the relay again, unless the failure is that of a destination behind it.
      if (isProbe && (cause === 'throttled' || cause === 'limited' || cause === 'away')) reopen()
      else if (isProbe || isCommon) throttle = { route: 'relay', cause }
      else if (throttle === null && mail.waitsFor !== null) throttle = { route: 'destination', cause }
      if (throttle === null) return null
      const route: Route =
        throttle.route === 'relay' ? relayRoute(relay) : { kind: 'destination' as const, ...destination }
      const failure = { cause: throttle.cause, reason: withoutName(describeOutcome(outcome), mail.email), isProbe }
      // Once now, for mails claimed here so far, and once more for those claimed until the database knows.
      closings.add(route)
      reports.add(throttle.route === 'relay' ? 'relay' : `to ${route.name}`, async () => {
        await throttleRoute(ports, route, failure)
        closings.add(route)
      })
      return throttle
    },
    endGroup: (group, unused) => {
      const counted = unused.flatMap(({ countedIn }) => countedIn ?? [])
      if (counted.length > 0) reports.add(`unused ${++groups}`, () => uncount(db, counted))
      for (const { id } of group) slowed.delete(id)
      if (group.filter((mail) => probing.delete(mail.id)).length > 0)
        reports.add('unused probe', () => releaseProbe(db, relay))
      for (const [name, count] of taken)
        reports.add(
          `taken by ${name}`,
          (sum) => (name === RELAY ? speedUpRelay(ports, sum) : speedUpDestination(ports, name, sum)),
          count,
        )
      taken.clear()
    },
    hasReports: reports.any,
    settle: reports.settle,
    claimBeside: async (stream, found, options) => {
      const undo = found.relayClosed && seenCommon
      const beside = await claimBeside(ports, stream, { ...found, undo }, options)
      if (beside.relay === 'probe') for (const { id } of beside.claimed) probing.set(id, beside.common)
      if (beside.relay === 'slow') for (const { id } of beside.claimed) slowed.add(id)
      return beside
    },
  }
}

const NOTHING_BESIDE: RestrictedClaim = { claimed: [], deferred: 0, relay: null, common: null, retryInMs: null }

/** Each step by itself: what one has claimed is not lost with another that fails. */
const claimBeside = async (
  ports: RoutePorts,
  stream: MailStream,
  found: Omit<Claim, 'claimed'> & { undo: boolean },
  options: { limit: number; connections: number },
): Promise<RestrictedClaim> => {
  const { db, log, relay } = ports
  const tolerate = async <T>(otherwise: T, run: () => Promise<T>): Promise<T> => {
    try {
      return await run()
    } catch (error) {
      const event = 'mail of throttled routes could not be claimed or deferred: the rest goes on'
      log.warn({ stream, error: describeError(error) }, event)
      return otherwise
    }
  }
  const defer = () => tolerate(0, () => deferThrottled(db, stream, BATCH))
  if (found.deferred > 0) await defer()
  // By now the outcomes of those are recorded that were refused before it was known.
  if (found.undo) await tolerate(undefined, async () => void (await undoCommonRefusals(ports, ports.now())))
  return tolerate(NOTHING_BESIDE, async () => {
    if (!found.relayClosed && !found.limited)
      return found.throttledDue ? { ...NOTHING_BESIDE, claimed: await claimThrottled(db, stream) } : NOTHING_BESIDE
    const claim = await claimRestricted(db, stream, { relay, ...options })
    if (claim.deferred > 0) await defer()
    return claim
  })
}

/**
 * Whether a refusal may be one that everybody gets. Readers whose mailbox is full are tried again together, with nobody
 * among them whose mail is taken; and who was refused like others before, and is again after the relay took mail, is
 * refused for a reason of their own.
 */
const mayBeCommon = (mail: Claimed, outcome: SmtpOutcome): boolean =>
  !mail.refusedLikeOthers && (mail.attempts === 0 || (outcome.kind === 'refused' && outcome.permanent))

/** Stands for the relay among the names of destinations. */
const RELAY = ''
const relayRoute = (relay: string): Route => ({ kind: 'relay', name: relay, domains: [] })

/** Which routes were closed in this process, and in which order. */
const createClosings = () => {
  let count = 0
  let relayAt = 0
  const destinationAt = new Map<string, number>()
  return {
    count: () => count,
    add: (route: Route) => {
      count++
      if (route.kind === 'relay') relayAt = count
      else destinationAt.set(route.name, count)
    },
    since: (earlier: number, mail: Claimed): boolean =>
      count > earlier && (relayAt > earlier || (destinationAt.get(destinationOf(mail.email).name) ?? 0) > earlier),
  }
}

/** Closes or slows a route for all mailers; the failure's `reason` is what the operator reads. */
const throttleRoute = async (
  { db, log, relay }: RoutePorts,
  route: Route,
  { cause, reason, isProbe }: { cause: ThrottleCause; reason: string; isProbe: boolean },
): Promise<void> => {
  const isRelay = route.kind === 'relay'
  const change = (known: Pace | null) => {
    const { pace, backOffMs } = slowDown(known, cause, isRelay)
    return { ...pace, reason, backOffMs }
  }
  // What a probe finds out counts although the right to it counts as a back-off for all others.
  const { before, after } = await changeRoute(db, route, change, { duringBackOff: isProbe })
  if (after === null || before?.cause === after.cause) return
  if (isRelay && isSlow(cause)) log.warn({ relay, reason }, `the mail server is sent less for now: ${ADVICE[cause]}`)
  else if (isRelay) log.error({ relay, reason }, `sending stops: ${ADVICE[cause]}`)
  else if (isSlow(cause)) log.warn({ destination: route.name, reason }, 'a destination is sent less for now')
  else log.warn({ destination: route.name, reason }, 'a destination takes no mail for now: mail to it waits')
}

const reopenRelay = async (ports: RoutePorts): Promise<void> => {
  await undoCommonRefusals(ports, ports.now())
  const { before } = await changeRoute(ports.db, relayRoute(ports.relay), () => null, { duringBackOff: true })
  if (before !== null) await resumeSending(ports, 'the mail server takes mail again: sending goes on')
}

/** Gives a slowed relay that took `count` mails more at a time, or all that it is sent. */
const speedUpRelay = async (ports: RoutePorts, count: number): Promise<void> => {
  const { before, after } = await changeRoute(ports.db, relayRoute(ports.relay), speedUpBy(count))
  if (before !== null && after === null) await resumeSending(ports, 'the mail server is sent as much as before again')
}

/** Letters first: all streams have waited, and only one of them is being claimed here. */
const resumeSending = async ({ log, relay, wake }: RoutePorts, event: string): Promise<void> => {
  log.info({ relay }, event)
  for (const queueName of MAIL_QUEUES) await wake?.(queueName)
}

const speedUpBy =
  (count: number) =>
  (known: RouteState | null): RouteState | null => {
    const pace = known === null ? null : speedUp(known, count)
    return known === null || pace === null ? null : { ...pace, reason: known.reason }
  }

/** Gives a destination that took `count` mails more at a time, or as much as any other. */
const speedUpDestination = async ({ db, log }: RoutePorts, name: string, count: number): Promise<void> => {
  const { before, after } = await changeRoute(db, { kind: 'destination', name, domains: [] }, speedUpBy(count))
  if (before === null || after !== null) return
  log.info({ destination: name }, 'a destination is sent as much as any other again')
  for (const stream of MAIL_STREAMS) await inBatches(() => requeueDeferred(db, stream, BATCH))
}

/** Runs a statement that changes up to `BATCH` rows until it finds fewer. Resolves to how many rows it changed in all. */
const inBatches = async (run: () => Promise<number>): Promise<number> => {
  let total = 0
  for (;;) {
    const changed = await run()
    total += changed
    if (changed < BATCH) return total
  }
}

/**
 * The sweep of every minute: undoes what common refusals did before they were known, forgets routes that nothing was recorded
 * of for a day and counts that no cap looks at, gives mails up that waited for their destination for a day, and requeues those
 * whose destination is neither throttled nor capped any more.
 */
export const sweepRoutes = async ({ db, log }: { db: Database; log: Log }, now: Date): Promise<void> => {
  await undoCommonRefusals({ db, log }, now)
  await forgetIdleRoutes(db)
  await forgetOldCounts(db)
  for (const stream of MAIL_STREAMS) {
    const expired = await inBatches(() => expireDeferred(db, stream, BATCH))
    if (expired > 0) log.warn({ stream, expired }, 'mails waited a day for destinations that took none: given up')
    await inBatches(() => requeueDeferred(db, stream, BATCH))
  }
}
