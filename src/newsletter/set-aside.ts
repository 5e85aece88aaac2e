/** What failed for a reason of its own and waits for an operator: sign-ups, and subscribers who cannot be published to. */
import type { Actor } from '../core/operator.ts'
import { recordAct } from '../store/audit.ts'
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

export type WhichSetAside = { subscriber: string } | { signUp: number } | 'all'

/**
 * Has what was set aside tried again at the next tick: a sign-up by its number, a subscriber by their id, or all. Returns
 * how many there were of each. Recorded as done by `actor`.
 */
export const retrySetAside = (
  db: Database,
  which: WhichSetAside,
  actor: Actor | null = null,
): Promise<{ subscribers: number; signUps: number }> =>
  db.transaction().execute(async (trx) => {
    const all = which === 'all'
    const retried = {
      subscribers:
        all || 'subscriber' in which ? await retrySetAsideSubscribers(trx, all ? 'all' : { id: which.subscriber }) : 0,
      signUps: all || 'signUp' in which ? await retrySignUps(trx, all ? 'all' : { id: which.signUp }) : 0,
    }
    if (actor !== null && retried.subscribers + retried.signUps > 0)
      await recordAct(trx, { ...actor, action: 'set-aside.retried', subject: subjectOf(which), detail: retried })
    return retried
  })

const subjectOf = (which: WhichSetAside): string | null => {
  if (which === 'all') return null
  return 'subscriber' in which ? `subscriber:${which.subscriber}` : `sign-up:${which.signUp}`
}
