/**
 * Announcements: one mail from the operator to all readers, or to those of some topics. They go through the outbox as
 * digests do, with its caps, back-offs and promises, and give way to digests: none is claimed while a digest may be.
 *
 * Who is owed one is settled when its time comes: active readers by then, who want announcements, and who were not sent the
 * same text before. Each has one mail of it, and whether it is wanted still is looked at when it is claimed.
 */
import { type AnnouncementText, contentHash } from '../core/announcement.ts'
import type { Actor } from '../core/operator.ts'
import { balance, type Equation, type StateCount } from '../core/sending/ledger.ts'
import { maskAddress } from '../core/subscriber/masked-address.ts'
import {
  countAnnouncementStates,
  holdsAllMails,
  type MissedMail,
  readMissedMails,
  requeueMissedMails,
} from '../store/announcement-mails.ts'
import {
  type AnnouncementRow,
  countReach,
  lockAnnouncing,
  markAnnouncementCanceled,
  markAnnouncementPaused,
  markAnnouncementResumed,
  type Reach,
  readAnnouncement,
  readAnnouncements,
  readUnaddressedText,
  storeAnnouncement,
  storeTest,
} from '../store/announcements.ts'
import { recordAct } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { readSubscriber } from '../store/subscribers.ts'
import { finishCanceled } from './announcement-run.ts'

export type { MissedMail } from '../store/announcement-mails.ts'
export type { Reach } from '../store/announcements.ts'

export interface AnnouncementPorts {
  db: Database
  /** The service's clock. */
  now: () => Date
  /** Wakes the scheduler, which addresses, or the mailers. May fail silently: the next tick finds the work. */
  wake: (queueName: 'tick' | 'deliveries') => Promise<void>
}

/** Why nothing was done, as a sentence for the operator. */
export interface Problem {
  problem: string
}

/** An announcement to be sent. */
export interface AnnouncementOrder {
  text: AnnouncementText
  /** The slugs of topics; `null` for all readers. */
  topics: string[] | null
  /** `null`: now. */
  sendAt: Date | null
  /** Whether who was sent the same text before gets it again. */
  again: boolean
}

export type Stage = 'scheduled' | 'sending' | 'paused' | 'complete' | 'canceled' | 'test'

/** An announcement with its balance. */
export interface Announcement extends Omit<AnnouncementRow, 'totals'> {
  stage: Stage
  equation: Equation
  /** By state and kind of reason, the most first. */
  states: StateCount[]
}

const MOST_LISTED = 100
/** The states of mails that did not arrive, as far as can be known. */
export const MISSED = ['failed', 'skipped', 'unknown'] as const
export type MissedState = (typeof MISSED)[number]

const stageOf = ({ canceledAt, completedAt, pausedAt, sendAt, isTest }: AnnouncementRow, now: Date): Stage => {
  if (isTest) return 'test'
  if (canceledAt !== null) return 'canceled'
  if (completedAt !== null) return 'complete'
  if (pausedAt !== null) return 'paused'
  return sendAt > now ? 'scheduled' : 'sending'
}

const withBalance = async (db: Database, row: AnnouncementRow, now: Date): Promise<Announcement> => {
  const { totals, ...announcement } = row
  const states = totals !== null && row.completedAt !== null ? totals : await countAnnouncementStates(db, row.id)
  return { ...announcement, stage: stageOf(row, now), equation: balance(row.due, states), states }
}

export type Announcements = ReturnType<typeof createAnnouncements>

/** What the admin pages work with. */
export interface AnnouncementDesk extends Announcements {
  /** The mail as its readers would get it; `topics` are slugs, `null` for all readers. */
  render(text: AnnouncementText, topics: string[] | null): Promise<{ html: string; text: string }>
}

export const createAnnouncements = ({ db, now, wake }: AnnouncementPorts) => {
  /** Changes an announcement under its lock. */
  const change = <T extends object>(
    id: number,
    run: (trx: Database, row: AnnouncementRow) => Promise<T | Problem>,
  ): Promise<T | Problem> =>
    db.transaction().execute(async (trx) => {
      const row = await readAnnouncement(trx, id, true)
      return row === undefined ? { problem: `There is no announcement ${id}.` } : run(trx, row)
    })

  const refuseEnded = ({ id, canceledAt, completedAt }: AnnouncementRow): Problem | null => {
    if (canceledAt !== null) return { problem: `Announcement ${id} is canceled.` }
    return completedAt === null ? null : { problem: `Announcement ${id} is complete: nothing of it waits.` }
  }

  return {
    /** How many a text would reach now, and why the others do not get it. */
    reach: ({ text, topics, again }: Omit<AnnouncementOrder, 'sendAt'>): Promise<Reach> =>
      countReach(db, { topics, again }, contentHash(text)),

    /** Stores an announcement, which is sent from `sendAt` on. `reach` is counted now. */
    send: async (actor: Actor, order: AnnouncementOrder): Promise<{ id: number; reach: Reach } | Problem> => {
      const { text, topics, again } = order
      const sendAt = order.sendAt ?? now()
      const hash = contentHash(text)
      const sent = await db.transaction().execute(async (trx) => {
        await lockAnnouncing(trx)
        const waiting = again ? undefined : await readUnaddressedText(trx, hash)
        if (waiting !== undefined)
          return { problem: `Announcement ${waiting.id} has the same text and is not addressed to everybody yet.` }
        const reach = await countReach(trx, { topics, again }, hash)
        if (reach.owed === 0)
          return {
            problem:
              reach.hadIt > 0
                ? 'Everybody it is for was sent the same text before.'
                : 'There is nobody it would reach.',
          }
        const writtenBy = actor.byWhom
        const id = await storeAnnouncement(trx, { ...text, topics, again, contentHash: hash, sendAt, writtenBy })
        const detail = { subject: text.subject, topics, again, sendAt, readers: reach.owed }
        await recordAct(trx, { ...actor, action: 'announcement.sent', subject: `announcement:${id}`, detail })
        return { id, reach }
      })
      if ('id' in sent) await wake('tick')
      return sent
    },

    /** Sends a text to one reader alone, as it would be sent to all. */
    test: async (actor: Actor, given: AnnouncementText, to: string): Promise<{ id: number } | Problem> => {
      const text = { ...given, subject: `Test: ${given.subject}` }
      const tested = await db.transaction().execute(async (trx) => {
        const reader = await readSubscriber(trx, { email: to })
        if (reader?.state !== 'active' || reader.email === null)
          return { problem: `${to} is not an active subscriber. Its links would lead nowhere: subscribe it first.` }
        if (!reader.announcements)
          return { problem: `${to} has stopped announcements. They can be turned on in its settings.` }
        const order = { ...text, topics: null, again: true, contentHash: contentHash(text), sendAt: now() }
        const id = await storeTest(trx, { ...order, writtenBy: actor.byWhom }, reader.id)
        const detail = { subject: given.subject, to: maskAddress(reader.email) }
        await recordAct(trx, { ...actor, action: 'announcement.tested', subject: `announcement:${id}`, detail })
        return { id }
      })
      if ('id' in tested) await wake('deliveries')
      return tested
    },

    /** The newest announcements, the newest first. */
    list: async (): Promise<Announcement[]> => {
      const rows = await readAnnouncements(db, MOST_LISTED)
      const listed: Announcement[] = []
      for (const row of rows) listed.push(await withBalance(db, row, now()))
      return listed
    },

    read: async (id: number): Promise<Announcement | null> => {
      const row = await readAnnouncement(db, id)
      return row === undefined ? null : withBalance(db, row, now())
    },

    /** Mails in these states after the one with the id `after`, in the order of ids, at most a thousand. */
    missed: (id: number, states: readonly MissedState[], after: string | null = null): Promise<MissedMail[]> =>
      readMissedMails(db, id, states, after),

    /** From now on nothing more of it is claimed; what was claimed is finished. */
    pause: (actor: Actor, id: number, why: string | null): Promise<object | Problem> =>
      change(id, async (trx, row) => {
        const refused = refuseEnded(row)
        if (refused !== null) return refused
        await markAnnouncementPaused(trx, id, { by: actor.byWhom, why })
        await recordAct(trx, {
          ...actor,
          action: 'announcement.paused',
          subject: `announcement:${id}`,
          detail: { why },
        })
        return {}
      }),

    resume: async (actor: Actor, id: number): Promise<object | Problem> => {
      const resumed = await change(id, async (trx, row) => {
        const refused = refuseEnded(row)
        if (refused !== null) return refused
        if (row.pausedAt === null) return { problem: `Announcement ${id} is not paused.` }
        await markAnnouncementResumed(trx, id)
        await recordAct(trx, { ...actor, action: 'announcement.resumed', subject: `announcement:${id}` })
        return {}
      })
      if (!('problem' in resumed)) {
        await wake('tick')
        await wake('deliveries')
      }
      return resumed
    },

    /** Calls off what was not sent yet, for good. */
    cancel: async (actor: Actor, id: number): Promise<Announcement | Problem> => {
      const canceled = await change(id, async (trx, row) => {
        const refused = refuseEnded(row)
        if (refused !== null) return refused
        await markAnnouncementCanceled(trx, id, actor.byWhom)
        await recordAct(trx, { ...actor, action: 'announcement.canceled', subject: `announcement:${id}` })
        return row
      })
      if ('problem' in canceled) return canceled
      await finishCanceled({ db })
      const row = (await readAnnouncement(db, id)) ?? canceled
      return withBalance(db, row, now())
    },

    /** Puts mails in these states back in the queue; what is no longer wanted is skipped again when it is claimed. */
    resend: async (
      actor: Actor,
      id: number,
      states: readonly MissedState[],
    ): Promise<{ requeued: number; from: Record<string, number>; paused: boolean } | Problem> => {
      const resent = await change(id, async (trx, row) => {
        if (row.canceledAt !== null) return { problem: `Announcement ${id} is canceled.` }
        if (row.completedAt !== null && !(await holdsAllMails(trx, id)))
          return { problem: `Mails of announcement ${id} were deleted with their age: it is too old.` }
        const requeued = await requeueMissedMails(trx, id, states)
        const from = Object.fromEntries(requeued.map(({ state, count }) => [state, count]))
        if (requeued.length > 0)
          await recordAct(trx, { ...actor, action: 'announcement.resent', subject: `announcement:${id}`, detail: from })
        const total = requeued.reduce((sum, { count }) => sum + count, 0)
        return { requeued: total, from, paused: row.pausedAt !== null }
      })
      if (!('problem' in resent) && resent.requeued > 0) await wake('deliveries')
      return resent
    },
  }
}
