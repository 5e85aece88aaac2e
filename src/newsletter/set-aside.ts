/** What failed for a reason of its own and waits for an operator: sign-ups, and subscribers who cannot be published to. */
import type { Database } from '../store/database.ts'
import {
  readSetAsideSubscribers,
  retrySetAsideSubscribers,
  type SetAsideSubscriber,
} from '../store/set-aside-subscribers.ts'
import { type FailedSignUp, readFailedSignUps, retrySignUps } from '../store/sign-ups.ts'

export interface SetAside {
  subscribers: SetAsideSubscriber[]
  signUps: FailedSignUp[]
}

export const readSetAside = async (db: Database): Promise<SetAside> => ({
  subscribers: await readSetAsideSubscribers(db),
  signUps: await readFailedSignUps(db),
})

/**
 * Has what was set aside tried again at the next tick: a sign-up by its number, a subscriber by their id, or all. Returns
 * how many there were of each.
 */
export const retrySetAside = async (
  db: Database,
  which: { subscriber: string } | { signUp: number } | 'all',
): Promise<{ subscribers: number; signUps: number }> => ({
  subscribers:
    which === 'all' || 'subscriber' in which
      ? await retrySetAsideSubscribers(db, which === 'all' ? 'all' : { id: which.subscriber })
      : 0,
  signUps:
    which === 'all' || 'signUp' in which ? await retrySignUps(db, which === 'all' ? 'all' : { id: which.signUp }) : 0,
})
