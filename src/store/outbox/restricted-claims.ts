/**
 * Claims while something limits how much is sent: a mail that probes a closed relay, what a slowed one may have in flight, and
 * what the operator's caps leave. Mailers make them one after the other, since each has to see what the others claimed.
 */
import { type Kysely, sql } from 'kysely'
import { SECOND } from '../../core/calendar.ts'
import { destinationOf } from '../../core/sending/destination.ts'
import { isSlow, type ThrottleCause } from '../../core/sending/pace.ts'
import { allowanceOf, capsAnything, slotsOf, stepWarmUp } from '../../core/sending/send-limit.ts'
import { type MailStream, queueOf, type Tables } from '../database.ts'
import { type Claimed, takeReady, takeWaiting } from './claims.ts'
import { countOfAll, wasRefusedLikeOthers } from './conditions.ts'
import { countClaimed, type LimitedRoute, readSendLimits, storeWarmUpStep } from './send-limits.ts'

export interface RestrictedClaim {
  claimed: Claimed[]
  /** How many mails were ready but go to a throttled or capped destination: they were deferred. */
  deferred: number
  /** How the relay is throttled: the mail is its `probe`, or it is `slow`; `null` where it is not throttled any more. */
  relay: 'probe' | 'slow' | null
  /** What a relay that refuses everybody in the same words said; `null` where it is throttled for something else. */
  common: string | null
  /** When it is worth claiming again although nothing could be claimed now, milliseconds; `null`: nobody can say. */
  retryInMs: number | null
}

/** A mailer that dies while it probes a relay keeps the others waiting no longer than this; SQL. */
const PROBE_LEASE = sql`interval '1 minute'`
/** Where letters wait a closed relay is probed with one of them: a digest does it only when none did for so long. */
const LETTERS_FIRST = 2 * SECOND
/** A relay whose free slots are all taken is looked at again. */
const SLOT_RETRY = SECOND
/** Of a second's slots about half are free again after this time. */
const SLOT_WAIT = SECOND / 2
/** No more letters than this are counted to leave what there is to them. */
const MOST_LETTERS = 64

/** What one claim may take, as the relay's state and its caps allow. */
interface Room extends Omit<RestrictedClaim, 'claimed' | 'deferred'> {
  mails: number
  /** Letters that are ready, of which digests leave enough room. */
  lettersReady: number
}

/** Claims up to `limit` mails of a stream; where mails go by the second no more than `connections`, so that all can begin. */
export const claimRestricted = (
  db: Kysely<Tables>,
  stream: MailStream,
  options: { relay: string; limit: number; connections: number },
): Promise<RestrictedClaim> =>
  db.transaction().execute(async (trx): Promise<RestrictedClaim> => {
    const throttled = await roomOfRelay(trx, stream, options)
    const limits: LimitedRoute[] = []
    for (const limit of await readSendLimits(trx, { relay: options.relay, lock: true })) {
      const stepped = await stepWarmUpOf(trx, limit)
      if (capsAnything(stepped)) limits.push(stepped)
    }
    const room = roomUnder(limits, stream, throttled, options.connections)
    const { relay, common, retryInMs } = room
    if (room.mails === 0) return { claimed: [], deferred: 0, relay, common, retryInMs }
    // A probe and a slowed relay are given what is ready first: what waits for a destination may be refused by that.
    const waiting =
      relay === null && limits.length > 0
        ? await takeWaiting(trx, stream, room.mails, allowancesOf(limits, stream, options.connections))
        : []
    const rest = room.mails - waiting.length
    const ready =
      rest === 0
        ? { claimed: [], deferred: 0 }
        : common !== null
          ? await takeUnrefused(trx, stream, limits.length > 0)
          : await takeReady(trx, stream, rest, { limited: limits.length > 0 })
    const claimed = [...waiting, ...ready.claimed]
    // Where all that is left waits for destinations, the relay is tried with that: else each would wait for the other.
    if (relay !== null && claimed.length < room.mails)
      claimed.push(
        ...(await takeWaiting(
          trx,
          stream,
          room.mails - claimed.length,
          allowancesOf(limits, stream, options.connections),
        )),
      )
    // One mailer of all has the right to probe, until it knows the outcome or its lease ends.
    if (relay === 'probe' && claimed.length > 0)
      await sql`update throttled_routes set not_before = now() + ${PROBE_LEASE}
        where kind = 'relay' and name = ${options.relay}`.execute(trx)
    return { claimed: await countAll(trx, limits, claimed), deferred: ready.deferred, relay, common, retryInMs: null }
  })

/** What the state of the relay allows, under its row's lock. */
const roomOfRelay = async (
  db: Kysely<Tables>,
  stream: MailStream,
  { relay, limit }: { relay: string; limit: number },
): Promise<Room> => {
  const { rows } = await sql<{ cause: ThrottleCause; reason: string; concurrency: number; dueInMs: number }>`
    select cause, reason, concurrency, extract(epoch from not_before - now())::float8 * 1000 as "dueInMs"
    from throttled_routes where kind = 'relay' and name = ${relay} for update`.execute(db)
  const [route] = rows
  // Statements after the lock: they see what others claimed before this one had it.
  const lettersReady = stream === 'letters' ? 0 : await countReadyLetters(db)
  const room: Room = { mails: 0, relay: null, common: null, retryInMs: null, lettersReady }
  if (route === undefined) return { ...room, mails: limit }
  if (route.dueInMs > 0) return { ...room, retryInMs: route.dueInMs }
  if (isSlow(route.cause)) {
    const free = Math.max(0, route.concurrency - (await countInFlight(db)) - lettersReady)
    return { ...room, mails: Math.min(limit, free), relay: 'slow', retryInMs: SLOT_RETRY }
  }
  const waitsForLetters = lettersReady > 0 ? LETTERS_FIRST + route.dueInMs : 0
  if (waitsForLetters > 0) return { ...room, retryInMs: waitsForLetters }
  return { ...room, mails: 1, relay: 'probe', common: route.cause === 'common' ? route.reason : null }
}

/** The cap at its step of a warm-up, which is stored where it is another than before. */
const stepWarmUpOf = async (db: Kysely<Tables>, limit: LimitedRoute): Promise<LimitedRoute> => {
  if (limit.warmUp === null) return limit
  const warmUp = stepWarmUp(limit.warmUp, limit.now)
  if (warmUp !== limit.warmUp) await storeWarmUpStep(db, limit, warmUp)
  return { ...limit, warmUp }
}

/** What is left of it under the relay's caps. */
const roomUnder = (limits: LimitedRoute[], stream: MailStream, room: Room, connections: number): Room => {
  const cap = limits.find((limit) => limit.kind === 'relay')
  if (cap === undefined || room.mails === 0) return room
  const allowed = Math.max(0, Math.min(room.mails, allowanceOf(cap, cap.used, queueOf(stream)) - room.lettersReady))
  const slots = slotsOf(cap.perSecond, cap.nextSlotInMs, allowed + room.lettersReady).begin.length - room.lettersReady
  const mails = Math.max(0, Math.min(allowed, perSecondLimit(cap, connections), slots))
  // The minutes that leave the windows are looked at by the tick, seconds by the mailer.
  const retryInMs = allowed > 0 && mails === 0 ? Math.max(SLOT_WAIT, cap.nextSlotInMs - SLOT_WAIT) : null
  return { ...room, mails, retryInMs }
}

const perSecondLimit = ({ perSecond }: LimitedRoute, connections: number): number =>
  perSecond === null ? Number.POSITIVE_INFINITY : connections

/** How many mails each capped destination may be given now. */
const allowancesOf = (limits: LimitedRoute[], stream: MailStream, connections: number): Map<string, number> =>
  new Map(
    limits
      .filter(({ kind }) => kind === 'destination')
      .map((cap) => {
        const allowed = Math.min(
          MOST_WAITING,
          allowanceOf(cap, cap.used, queueOf(stream)),
          perSecondLimit(cap, connections),
        )
        return [cap.name, slotsOf(cap.perSecond, cap.nextSlotInMs, allowed).begin.length]
      }),
  )

/** More than a claim takes. */
const MOST_WAITING = 1_000

/** Counts claimed mails against their caps, and gives each the slot in which it begins and the minute it was counted in. */
const countAll = async (db: Kysely<Tables>, limits: LimitedRoute[], claimed: Claimed[]): Promise<Claimed[]> => {
  if (limits.length === 0 || claimed.length === 0) return claimed
  const of = (limit: LimitedRoute) =>
    limit.kind === 'relay' ? claimed : claimed.filter(({ email }) => destinationOf(email).name === limit.name)
  const next = new Map<LimitedRoute, number>()
  const beginIn = new Map<Claimed, number>()
  for (const limit of limits) {
    const mails = of(limit)
    const slots = slotsOf(limit.perSecond, limit.nextSlotInMs, mails.length)
    next.set(limit, slots.next)
    mails.forEach((mail, n) => {
      beginIn.set(mail, Math.max(beginIn.get(mail) ?? 0, slots.begin[n] ?? 0))
    })
  }
  const minutes = await countClaimed(
    db,
    limits,
    claimed.map(({ email }) => email),
    next,
  )
  return claimed.map((mail) => ({
    ...mail,
    beginInMs: beginIn.get(mail) ?? 0,
    countedIn: limits.flatMap((limit) => {
      const minute = of(limit).includes(mail) ? minutes.get(limit) : undefined
      return minute === undefined ? [] : [{ kind: limit.kind, name: limit.name, minute }]
    }),
  }))
}

/**
 * A mail that is to find out whether the relay takes mail again. Where it refused everybody in the same words, one that it
 * has not refused yet: of the others, some may be refused in these words for good.
 */
const takeUnrefused = async (db: Kysely<Tables>, stream: MailStream, limited: boolean) => {
  const only = sql<boolean>`not ${wasRefusedLikeOthers(sql`m.reason`)}`
  const taken = await takeReady(db, stream, 1, { limited, only })
  return taken.claimed.length + taken.deferred > 0 ? taken : takeReady(db, stream, 1, { limited })
}

/** Of letters that are ready for longer than this nobody takes care at the moment: digests do not wait for them. */
const LETTERS_TAKEN_WITHIN = sql`interval '1 minute'`

const countReadyLetters = async (db: Kysely<Tables>): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from (select from letters m
      where m.state in ('queued', 'deferred') and m.next_attempt_at <= now()
        and m.next_attempt_at > now() - ${LETTERS_TAKEN_WITHIN} limit ${MOST_LETTERS}) ready`.execute(db)
  return rows[0]?.count ?? 0
}

/** Mails that are being sent, over all streams and all mailers. */
const countInFlight = async (db: Kysely<Tables>): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select ${countOfAll(sql`u.state = 'sending'`)}::int as count`.execute(db)
  return rows[0]?.count ?? 0
}
