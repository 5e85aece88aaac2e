/** Publishing: who is due at a tick, which of them get the same digest, and what is owed to each. */
import { DAY, SECOND } from '../core/calendar.ts'
import { cohortKey } from '../core/digest/cohort.ts'
import { eligibleSince, lastForgottenDate, NEWS_SPAN, RECENTLY_SENT_DAYS } from '../core/digest/eligibility.ts'
import type { Log } from '../core/log.ts'
import type { FrozenNews } from '../core/papers/paper-news.ts'
import { latestDue, nextDue } from '../core/subscriber/due.ts'
import type { Database } from '../store/database.ts'
import {
  beginEdition,
  type Earlier,
  extendRecentlySent,
  markPublished,
  type NewDigest,
  type PreviousDigest,
  readLastTick,
  readOpenEdition,
  readPreviousDigests,
  storeDigests,
  storeLastTick,
} from '../store/digests.ts'
import { addDue } from '../store/editions.ts'
import { requireMonths } from '../store/months.ts'
import { addDeliveries, type DueSlot, type OwedDigest } from '../store/outbox.ts'
import { dropOldLetterLimits } from '../store/sign-ups.ts'
import { type DueGroup, forgetUnconfirmed, isAnyoneDue, lockDue, readProfiles } from '../store/subscribers.ts'
import {
  type CandidatePool,
  composeDigest,
  type DigestRequest,
  emptyDigestNote,
  loadCandidatePool,
  newsSincePrevious,
} from './digest.ts'
import { type ReconcilerPorts, reconcile } from './reconciler.ts'
import { sweepRoutes } from './routes.ts'
import { CONFIRM_WITHIN } from './subscription.ts'

export interface EditionPorts {
  db: Database
  log: Log
  /** Wakes the mailers; the sweep makes up for a bell that was not heard. */
  wake: (queueName: 'letters' | 'deliveries') => Promise<void>
}

/** Subscribers of one transaction: enough to make the statements few, so few that a crash undoes little. */
const CHUNK = 2_500

/** Chunks under way: while the database writes one the next is composed. */
const AT_A_TIME = 2

/** Cohorts that are remembered from chunk to chunk: those many share come again and again, the others hardly ever. */
const MOST_KNOWN = 10_000
/** Digests that go to the database at a time. */
const MOST_STORED = 250

export interface Published {
  subscribers: number
  owed: number
  digests: number
}

/**
 * Publishes everything due by an instant: finishes an edition that was interrupted, with the cut-off it was begun with,
 * then holds one for who else is due. Two publishers at once do no harm: each locks its own subscribers, and one digest
 * per subscriber and date is a key of the table.
 */
export const publishDue = async (ports: EditionPorts, at: Date): Promise<Published> => {
  const total: Published = { subscribers: 0, owed: 0, digests: 0 }
  const add = (published: Published) => {
    total.subscribers += published.subscribers
    total.owed += published.owed
    total.digests += published.digests
  }
  const open = await readOpenEdition(ports.db)
  if (open !== undefined) add(await publishEdition(ports, open))
  // The cut-off is stored before anything is composed, so that whoever goes on with the edition uses the same papers.
  if (await isAnyoneDue(ports.db, at)) add(await publishEdition(ports, await beginEdition(ports.db, at)))
  return total
}

const publishEdition = async (ports: EditionPorts, edition: { id: number; cutoff: Date }): Promise<Published> => {
  const { db, log } = ports
  const total: Published = { subscribers: 0, owed: 0, digests: 0 }
  const planner = createCohortPlanner(db, edition)
  let last = Promise.resolve(true)

  /** Publishes one chunk in its transaction; false when nobody is left. */
  const publishChunk = async (before: Promise<boolean>): Promise<boolean> => {
    const chunk = await db.transaction().execute(async (trx) => {
      const due = await lockDue(trx, edition.cutoff, CHUNK)
      if (due.length === 0) return null
      const cohorts = await planner.compose(trx, due)
      // What the chunk before has stored is referred to from here on: it must have come to stay.
      if (!(await before)) throw new Error('the chunk before was not published')
      const { owed, digests } = await planner.store(trx, cohorts)
      await requireMonths(
        trx,
        owed.map((one) => one.slot.localDate),
      )
      const written = await addDeliveries(trx, edition, owed)
      await addDue(trx, edition.id, written)
      return { due: due.reduce((sum, { count }) => sum + count, 0), written, digests }
    })
    if (chunk === null) return false
    total.subscribers += chunk.due
    total.owed += chunk.written
    total.digests += chunk.digests
    // One bell a chunk, so that several mailers wake and share a long edition.
    await ports.wake('deliveries')
    return true
  }

  const work = async (): Promise<void> => {
    for (let more = true; more; ) {
      const before = last
      const ended = Promise.withResolvers<boolean>()
      last = ended.promise
      try {
        more = await publishChunk(before)
        ended.resolve(true)
      } catch (error) {
        ended.resolve(false)
        throw error
      }
    }
  }
  const works = await Promise.allSettled(Array.from({ length: AT_A_TIME }, work))
  for (const one of works) if (one.status === 'rejected') throw one.reason
  await markPublished(db, edition.id)
  log.info({ edition: edition.id, cutoff: edition.cutoff, ...total }, 'edition published')
  return total
}

/** What an edition may choose from is loaded in at most these spans before its cut-off; the last is all it may reach. */
const SPANS = [NEWS_SPAN, 7 * DAY, RECENTLY_SENT_DAYS * DAY]

/** A map that forgets what was asked for longest ago. */
const createLruCache = <V>(most: number) => {
  const held = new Map<string, V>()
  const set = (key: string, value: V): void => {
    held.delete(key)
    held.set(key, value)
    if (held.size <= most) return
    for (const oldest of held.keys()) {
      held.delete(oldest)
      return
    }
  }
  return {
    set,
    get(key: string): V | undefined {
      const value = held.get(key)
      if (value !== undefined) set(key, value)
      return value
    },
  }
}

/** A stored digest, and whether it has no papers. */
interface Known {
  id: number
  empty: boolean
}

/** Members of one chunk who have chosen alike and were sent the same digest last: they are of one cohort. */
interface Group {
  key: string
  first: DueGroup
  since: Date
  slot: DueSlot
  dueGroups: { dueGroup: DueGroup; slot: DueSlot }[]
}

interface Cohort {
  key: string
  request: DigestRequest
  choice: CandidatePool
  previousDigests: Set<PreviousDigest>
  groups: Group[]
}

interface ComposedCohort {
  cohort: Cohort
  /** `null` when it is stored already. */
  digest: NewDigest | null
}

/**
 * Turns due subscribers into owed digests. Of most subscribers a chunk has met the like before: then nothing is read,
 * hashed or composed for them. What is kept from chunk to chunk does not grow with the list.
 */
const createCohortPlanner = (db: Database, edition: { id: number; cutoff: Date }) => {
  const { cutoff } = edition
  const choices = new Map<number, Promise<CandidatePool>>()
  const slots = new Map<string, DueSlot>()
  /** By group: its past is in the carry of the digest already. */
  const digestOfGroup = createLruCache<Known>(MOST_KNOWN)
  const digestOfCohort = createLruCache<Known>(MOST_KNOWN)

  // Whole spans are loaded once; a paper's own date says whether it lies after a reader's `since`.
  const choiceSince = (since: Date): Promise<CandidatePool> => {
    const span = SPANS.find((one) => cutoff.getTime() - one <= since.getTime()) ?? RECENTLY_SENT_DAYS * DAY
    const known = choices.get(span)
    if (known !== undefined) return known
    const loading = loadCandidatePool(db, cutoff, { since: new Date(cutoff.getTime() - span) })
    choices.set(span, loading)
    return loading
  }

  const slotOf = (subscriber: DueGroup): DueSlot => {
    const { frequency, hour, weekday, timeZone, dueAt } = subscriber
    const key = `${frequency}|${hour}|${weekday}|${timeZone}|${dueAt.getTime()}`
    const known = slots.get(key)
    if (known !== undefined) return known
    const due = latestDue(subscriber, dueAt, cutoff)
    const next = nextDue(subscriber, cutoff, { date: due.localDate, at: due.at })
    const slot = { localDate: due.localDate, dueAt: due.at, nextDueAt: next.at }
    slots.set(key, slot)
    return slot
  }

  const groupAll = (due: DueGroup[]): Group[] => {
    const groups = new Map<string, Group>()
    for (const dueGroup of due) {
      const { frequency, lastCutoff, lastDigestId } = dueGroup
      const slot = slotOf(dueGroup)
      const since = eligibleSince(frequency, cutoff, lastCutoff)
      const key = `${frequency}|${slot.localDate}|${since.getTime()}|${lastDigestId}|${dueGroup.profileKey}`
      let group = groups.get(key)
      if (group === undefined) {
        group = { key, first: dueGroup, since, slot, dueGroups: [] }
        groups.set(key, group)
      }
      group.dueGroups.push({ dueGroup, slot })
    }
    return [...groups.values()]
  }

  /** Groups whose pasts differ in nothing that could come again are one cohort. */
  const cohortsOf = async (trx: Database, groups: Group[]): Promise<Cohort[]> => {
    const chosenFrom = new Set<CandidatePool>()
    for (const { since } of groups) chosenFrom.add(await choiceSince(since))
    const previousDigests = await readPreviousDigests(
      trx,
      [...new Set(groups.flatMap(({ first }) => first.lastDigestId ?? []))],
      new Set([...chosenFrom].flatMap((choice) => [...choice.byId.keys(), ...choice.news.keys()])),
    )
    const profiles = await readProfiles(
      trx,
      groups.map(({ first }) => first.first),
    )
    const cohorts = new Map<string, Cohort>()
    const newsOf = new Map<number | undefined, FrozenNews[]>()
    for (const group of groups) {
      const { first, since, slot } = group
      const choice = await choiceSince(since)
      const previous = first.lastDigestId === null ? undefined : previousDigests.get(first.lastDigestId)
      const recentlySent = (previous?.recentlySent ?? []).filter((id) => {
        const eligibleAt = choice.byId.get(id)
        return eligibleAt !== undefined && eligibleAt.getTime() > since.getTime()
      })
      const news = newsOf.get(previous?.id) ?? newsSincePrevious(previous, first.lastCutoff, choice)
      newsOf.set(previous?.id, news)
      const profile = profiles.get(first.first)
      if (profile === undefined) throw new Error('a subscriber who is locked has gone')
      const request: DigestRequest = {
        kind: first.frequency,
        profile,
        localDate: slot.localDate,
        since,
        recentlySent,
        note: emptyDigestNote(previous),
        news,
      }
      const key = cohortKey({ ...request, cutoff }).toString('hex')
      const cohort = cohorts.get(key) ?? {
        key,
        request,
        choice,
        previousDigests: new Set<PreviousDigest>(),
        groups: [],
      }
      cohorts.set(key, cohort)
      if (previous !== undefined) cohort.previousDigests.add(previous)
      cohort.groups.push(group)
    }
    // In one order everywhere, so that two publishers cannot wait for each other's digests crosswise.
    return [...cohorts.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  /** Stores what is new of these cohorts, digests and carries; returns how many digests are. */
  const storeCohorts = async (trx: Database, cohorts: ComposedCohort[]): Promise<number> => {
    const grown: (Earlier & { id: number })[] = []
    const fresh: { cohort: Cohort; digest: NewDigest }[] = []
    for (const { cohort, digest } of cohorts) {
      // The chunk before may have stored it meanwhile.
      const known = digestOfCohort.get(cohort.key)
      if (known !== undefined) {
        const digests = [...cohort.previousDigests].map((previous) => previous.id)
        grown.push({ id: known.id, digests, forget: lastForgottenDate(cohort.request.localDate) })
        for (const group of cohort.groups) digestOfGroup.set(group.key, known)
      } else if (digest !== null) fresh.push({ cohort, digest })
      else throw new Error('a cohort was forgotten while it was needed')
    }
    await extendRecentlySent(trx, grown)
    let made = 0
    for (let at = 0; at < fresh.length; at += MOST_STORED) {
      const some = fresh.slice(at, at + MOST_STORED)
      const stored = await storeDigests(
        trx,
        some.map(({ digest }) => digest),
      )
      for (const [n, { cohort, digest }] of some.entries()) {
        const { id = 0, isNew } = stored[n] ?? {}
        if (isNew) made++
        const known = { id, empty: digest.entries.length === 0 }
        digestOfCohort.set(cohort.key, known)
        for (const group of cohort.groups) digestOfGroup.set(group.key, known)
      }
    }
    return made
  }

  return {
    /** Reads and composes what is not known yet; writes nothing. */
    async compose(trx: Database, due: DueGroup[]): Promise<{ groups: Group[]; cohorts: ComposedCohort[] }> {
      const groups = groupAll(due)
      const unknown = groups.filter((group) => digestOfGroup.get(group.key) === undefined)
      const cohorts = unknown.length === 0 ? [] : await cohortsOf(trx, unknown)
      return {
        groups,
        cohorts: cohorts.map((cohort) => ({
          cohort,
          digest: digestOfCohort.get(cohort.key)
            ? null
            : composeDigest(
                cohort.choice,
                cohort.request,
                edition.id,
                cohort.previousDigests,
                Buffer.from(cohort.key, 'hex'),
              ),
        })),
      }
    },

    async store(
      trx: Database,
      { groups, cohorts }: { groups: Group[]; cohorts: ComposedCohort[] },
    ): Promise<{ owed: OwedDigest[]; digests: number }> {
      const digests = await storeCohorts(trx, cohorts)
      const owed = groups.flatMap(({ key, dueGroups }) => {
        const digest = digestOfGroup.get(key)
        if (digest === undefined) throw new Error('a cohort has no digest')
        return dueGroups.map(({ dueGroup, slot }) => ({
          members: dueGroup.members,
          rows: dueGroup.rows,
          count: dueGroup.count,
          digestId: digest.id,
          empty: digest.empty,
          slot,
        }))
      })
      return { owed, digests }
    },
  }
}

/**
 * What happens every minute: what went astray is put right, what is due is published, and requests that were never
 * confirmed are forgotten.
 */
export const tick = async (ports: EditionPorts & ReconcilerPorts, now: Date): Promise<void> => {
  const { db, log } = ports
  await storeLastTick(db, now)
  await reconcile(ports)
  await publishDue(ports, now)
  const forgotten = await forgetUnconfirmed(db, new Date(now.getTime() - CONFIRM_WITHIN))
  if (forgotten > 0) log.info({ forgotten }, 'requests were not confirmed in time and are forgotten')
  await dropOldLetterLimits(db)
  await sweepRoutes({ db, log })
}

/** Clocks of two machines may differ by this much without a day being lived twice. */
const CLOCKS_DIFFER = 30 * SECOND

/** The service's clock may not run backwards across restarts: days would be lived twice. Says what is wrong, or `null`. */
export const clockError = async (db: Database, now: Date): Promise<string | null> => {
  const last = await readLastTick(db)
  if (last === null || now.getTime() >= last.getTime() - CLOCKS_DIFFER) return null
  return (
    `the clock says ${now.toISOString()}, but this data has already seen ${last.toISOString()}; ` +
    `set the clock (or CLOCK) to that time or later, or use another DATA_DIR`
  )
}
