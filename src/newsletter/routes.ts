/**
 * What a mailer knows of the ways its mail goes, and what it tells all others of them by the database.
 *
 * A way in trouble has a row that every mailer's claim looks at; a way without has none. While a relay rests nothing is
 * claimed for it; then one mail tries it. What goes to a destination that rests is put aside without being tried; then as
 * many go at a time as its pace allows (`core/pace`). What a mailer has claimed already when a way closes it puts back.
 */

import { MINUTE } from '../core/calendar.ts'
import type { Log } from '../core/log.ts'
import { countOutcome, NO_STREAK, type Streak } from '../core/sending/breaker.ts'
import { destinationOf } from '../core/sending/destination.ts'
import { faster, isSlow, slower, type ThrottleCause } from '../core/sending/pace.ts'
import { blameOf, reasonOf, type SmtpOutcome } from '../core/sending/smtp-outcome.ts'
import type { Database } from '../store/database.ts'
import {
  type Claimed,
  claim,
  claimThrottled,
  deferThrottled,
  expireDeferred,
  type MailStream,
  requeueDeferred,
} from '../store/deliveries.ts'
import { acquireProbe, changeRoute, forgetIdleRoutes, type Route, releaseProbe } from '../store/throttled-routes.ts'

export interface Routes {
  /** The relay's name, as the claim wants it. */
  relay: string
  /** A moment in the order in which ways are closed here. To be taken before a group is claimed. */
  moment(): number
  /** Whether the relay or the mail's destination was closed after a moment: what was claimed before it is put back. */
  closedSince(moment: number, mail: Claimed): boolean
  /** Takes note of an outcome. Resolves to what it closed or slowed, once other mailers can know of it. */
  note(mail: Claimed, outcome: SmtpOutcome): Promise<'relay' | 'destination' | null>
  /** At the end of a group: makes known which destinations in trouble took mail, and gives back a trial that was none. */
  tell(group: readonly Claimed[]): Promise<void>
  /** Puts aside in bulk what waits in front of others for a destination in trouble. */
  clear(stream: MailStream): Promise<void>
  /** What may be tried beyond the common claim: one mail for a closed relay, some for destinations that were put off. */
  tries(stream: MailStream, met: { closed: boolean; due: boolean }): Promise<Claimed[]>
}

/** Mails put aside or brought back in one statement. */
const BATCH = 5_000
/** A mailer that dies while it tries a relay keeps the others waiting no longer than this. */
const TRIAL = 15 * MINUTE

/** What to look at when a relay is closed; the setting is named, its value is not. */
const ADVICE: Record<ThrottleCause, string> = {
  login: 'the mail server refuses our login: look at the user and password in SMTP_URL',
  sender: 'the mail server refuses our sender: look at MAIL_FROM, and whether the server may send for its domain',
  tls: 'TLS with the mail server fails: look at its certificate, and at host and port in SMTP_URL',
  relay: 'the mail server cannot be reached or takes nothing: look at host and port in SMTP_URL',
  policy: 'mail to many destinations is refused: look at the reason, at SPF, DKIM and DMARC of MAIL_FROM',
  lost: 'the mail server breaks off message after message',
  throttled: 'the mail server takes too little',
  limited: 'the mail server takes too little',
  away: 'the mail server cannot reach destinations',
}

/** Knows of no trouble at first but what the database says. One is shared by all that sends in a process. */
export const createRoutes = ({ db, log, relay }: { db: Database; log: Log; relay: string }): Routes => {
  let streak: Streak = NO_STREAK
  let latest = 0
  let relayClosedAt = 0
  const closedAt = new Map<string, number>()
  /** Mails that try a closed relay. */
  const trying = new Set<string>()
  const taken = new Map<string, number>()
  const relayRoute: Route = { kind: 'relay', name: relay, domains: [] }

  const slow = async (route: Route, cause: ThrottleCause, reason: string) => {
    const isRelay = route.kind === 'relay'
    const close = () => {
      latest++
      if (isRelay) relayClosedAt = latest
      else closedAt.set(route.name, latest)
    }
    // At once for what is claimed here, and once more for what is claimed before the database knows.
    close()
    const { before, after } = await changeRoute(db, route, (known) => {
      const { pace, backOffMs } = slower(known, cause, isRelay)
      return { ...pace, reason, backOffMs }
    })
    close()
    if (after === null || before?.cause === after.cause) return
    if (isRelay) log.error({ relay, reason }, `sending stops: ${ADVICE[cause]}`)
    else if (isSlow(cause)) log.warn({ destination: route.name, reason }, 'a destination is sent less for now')
    else log.warn({ destination: route.name, reason }, 'a destination takes no mail for now: what goes there waits')
  }

  const reopenRelay = async () => {
    const { before } = await changeRoute(db, relayRoute, () => null, true)
    if (before !== null) log.info({ relay }, 'the mail server takes mail again: sending goes on')
  }

  const bringAllBack = async () => {
    for (const stream of ['letters', 'deliveries'] as const)
      while ((await requeueDeferred(db, stream, BATCH)) === BATCH);
  }

  return {
    relay,
    moment: () => latest,
    closedSince: (moment, mail) =>
      latest > moment && (relayClosedAt > moment || (closedAt.get(destinationOf(mail.email).name) ?? 0) > moment),
    note: async (mail, outcome) => {
      const blame = blameOf(outcome)
      const tried = trying.delete(mail.id)
      // Nothing to count and nothing in trouble: the case of nearly every mail.
      if (blame === 'none' && streak === NO_STREAK && !tried && mail.waitsFor === null) return null
      const destination = destinationOf(mail.email)
      const counted = countOutcome(streak, destination.name, blame)
      streak = counted.streak
      let { closing } = counted
      if (blame === 'none' || blame === 'recipient' || outcome.kind === 'sent') {
        if (tried) await reopenRelay()
        if (mail.waitsFor !== null) taken.set(mail.waitsFor, (taken.get(mail.waitsFor) ?? 0) + 1)
        return null
      }
      // What is tried because it was closed is closed again by one failure; unless a destination behind it failed.
      if (tried && (isSlow(blame) || blame === 'away')) await reopenRelay()
      else if (tried) closing = { route: 'relay', cause: blame }
      else if (closing === null && mail.waitsFor !== null) closing = { route: 'destination', cause: blame }
      if (closing === null) return null
      await slow(
        closing.route === 'relay' ? relayRoute : { kind: 'destination', ...destination },
        closing.cause,
        reasonOf(outcome),
      )
      return closing.route
    },
    tell: async (group) => {
      if (group.filter((mail) => trying.delete(mail.id)).length > 0) await releaseProbe(db, relay)
      if (taken.size === 0) return
      const told = [...taken]
      taken.clear()
      for (const [name, count] of told) {
        const route: Route = { kind: 'destination', name, domains: [] }
        const { before, after } = await changeRoute(db, route, (known) => {
          const pace = known === null ? null : faster(known, count)
          return known === null || pace === null ? null : { ...pace, reason: known.reason }
        })
        if (before === null || after !== null) continue
        log.info({ destination: name }, 'a destination takes mail as any other again')
        await bringAllBack()
      }
    },
    clear: async (stream) => {
      await deferThrottled(db, stream, BATCH)
    },
    tries: async (stream, { closed, due }) => {
      if (!closed) return due ? claimThrottled(db, stream) : []
      if (!(await acquireProbe(db, relay, TRIAL))) return []
      let [mail] = await claim(db, stream, 1)
      if (mail === undefined) {
        // What waited longest may be for a destination in trouble.
        await deferThrottled(db, stream, BATCH)
        ;[mail] = await claim(db, stream, 1)
      }
      if (mail === undefined) {
        await releaseProbe(db, relay)
        return []
      }
      trying.add(mail.id)
      return [mail]
    },
  }
}

/** What happens every minute: mails are brought back from destinations that nobody speaks of any more, or given up after a day. */
export const sweepRoutes = async ({ db, log }: { db: Database; log: Log }): Promise<void> => {
  await forgetIdleRoutes(db)
  for (const stream of ['letters', 'deliveries'] as const) {
    const expired = await expireDeferred(db, stream)
    if (expired > 0) log.warn({ stream, expired }, 'mails waited a day for destinations that took nothing: given up')
    while ((await requeueDeferred(db, stream, BATCH)) === BATCH);
  }
}
