/** Welcomes of an import: one digest for all readers with the same choices and date. */
import { localDateAt } from '../../core/calendar.ts'
import type { Preferences } from '../../core/subscriber/preferences.ts'
import type { Database } from '../../store/database.ts'
import { storeDigests } from '../../store/digests.ts'
import { columnsOf } from '../../store/subscribers.ts'
import type { CandidateCache } from '../publishing/candidate-cache.ts'
import { composeWelcome } from '../publishing/welcome.ts'

/** A stored welcome. */
export interface WelcomeDigest {
  digestId: number
  cutoff: Date
}

/** Welcomes that are remembered; when there are so many they are forgotten. */
const MOST_REMEMBERED = 10_000

/** Returns what stores the welcome of each of some preferences, in their order. */
export const createImportWelcomes = (db: Database, candidates: Pick<CandidateCache, 'welcome'>) => {
  const known = new Map<string, WelcomeDigest>()
  return async (choices: readonly Preferences[], at: Date): Promise<WelcomeDigest[]> => {
    const pool = await candidates.welcome()
    const found: WelcomeDigest[] = []
    for (const preferences of choices) {
      const { trending, topics, keywords, authors, muted, papers, timeZone } = preferences
      const key = JSON.stringify([trending, topics, keywords, authors, muted, papers, localDateAt(at, timeZone)])
      const welcome = known.get(key) ?? (await storeWelcome(db, pool, preferences, at))
      if (known.size >= MOST_REMEMBERED) known.clear()
      known.set(key, welcome)
      found.push(welcome)
    }
    return found
  }
}

const storeWelcome = async (
  db: Database,
  pool: Awaited<ReturnType<CandidateCache['welcome']>>,
  preferences: Preferences,
  at: Date,
): Promise<WelcomeDigest> => {
  const welcome = await composeWelcome(db, pool, { ...columnsOf(preferences), last_digest_id: null }, at)
  const [stored] = await storeDigests(db, [welcome])
  if (stored === undefined) throw new Error('a welcome was not stored')
  return { digestId: stored.id, cutoff: welcome.cutoff }
}
