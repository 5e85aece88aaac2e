/** A newsletter without processes around it: a database, papers and subscribers, for tests of the use cases. */
import type { Listing } from '../../src/core/paper.ts'
import { type Preferences, STANDARD } from '../../src/core/preferences.ts'
import { deriveToken, type Keys } from '../../src/core/token.ts'
import { readIssue } from '../../src/newsletter/digest.ts'
import { storeAll } from '../../src/newsletter/intake.ts'
import { createSubscriptions, workOffSignUps } from '../../src/newsletter/subscription.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { readDigest } from '../../src/store/digests.ts'
import { papersOfDay } from './papers.ts'
import { openTestDatabase } from './postgres.ts'

export const KEYS: Keys = [Buffer.alloc(32, 7)]
export const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined }
export const QUIET = async (): Promise<void> => undefined

export const LONDON_DAILY: Preferences = {
  ...STANDARD,
  topics: ['diffusion-lm', 'robotics'],
  frequency: 'daily',
  timeZone: 'Europe/London',
}

/** Opens a migrated database of its own; pools and all are gone at the end of the test. */
export const openNewsletter = async () => {
  const database = await openTestDatabase()
  const db = openDatabase(database.url, { connections: 6, name: 'test', onError: () => undefined })
  return {
    db,
    url: database.url,
    async [Symbol.asyncDispose]() {
      await db.destroy()
      await database[Symbol.asyncDispose]()
    },
  }
}

/** Listings of a made-up list day, as seen at 09:00 UTC of it or at the time given. */
export const listingsOf = (listDay: string, topics?: readonly string[], at?: string): Listing[] =>
  papersOfDay(listDay, topics).map(({ id, title, summary, upvotes }) => ({
    paper: {
      id,
      title,
      abstract: summary,
      authors: ['Ada Lovelace'],
      publishedOn: listDay,
      categories: [],
      codeUrl: null,
      projectUrl: null,
      discussionUrl: null,
    },
    listDay,
    observation: {
      at: new Date(at ?? `${listDay}T09:00:00Z`),
      hourKnown: at !== undefined,
      upvotes,
      comments: 0,
      stars: null,
    },
  }))

export const storeDay = (db: Database, listDay: string, topics?: readonly string[], at?: string) =>
  storeAll(db, 'file', listingsOf(listDay, topics, at))

/** Signs up and confirms as the site would, at an instant; returns the id. */
export const subscribe = async (db: Database, email: string, preferences: Preferences, at: Date): Promise<string> => {
  const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => at, ring: QUIET })
  await subscriptions.requestSubscription(email, preferences)
  await workOffSignUps({ db, keys: KEYS })
  const letter = await db
    .selectFrom('letters')
    .innerJoin('subscribers', 'subscribers.id', 'letters.subscriber_id')
    .select(['letters.id', 'letters.subscriber_id'])
    .where('subscribers.email', '=', email)
    .where('letters.kind', '=', 'confirmation')
    .orderBy('letters.requested_at', 'desc')
    .executeTakeFirstOrThrow()
  const outcome = await subscriptions.confirm(deriveToken(KEYS, 'confirm', letter.id))
  if (outcome !== 'confirmed') throw new Error(`${email} could not confirm: ${outcome}`)
  return letter.subscriber_id
}

/** The digests owed to a subscriber in order of date, each as its reader would see it, the welcome first. */
export const issuesOf = async (db: Database, subscriberId: string) => {
  const letters = await db
    .selectFrom('letters')
    .select(['digest_id', 'state'])
    .where('subscriber_id', '=', subscriberId)
    .where('kind', '=', 'welcome')
    .orderBy('requested_at')
    .execute()
  const deliveries = await db
    .selectFrom('deliveries')
    .select(['digest_id', 'state'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('local_date')
    .execute()
  return Promise.all(
    [...letters, ...deliveries].map(async ({ digest_id, state }) => {
      const digest = await readDigest(db, digest_id ?? 0)
      if (digest === undefined) throw new Error('a mail without its digest')
      return { ...(await readIssue(db, digest)), entries: digest.entries, state }
    }),
  )
}
