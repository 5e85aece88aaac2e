/** What operators read of subscribers and sign-ups that were set aside, and their being tried again. */
import type { Actor } from '../../core/operator.ts'
import type { Database } from '../../store/database.ts'
import { readSetAside, retrySetAside, type SetAside, type WhichSetAside } from '../set-aside.ts'

export type { SetAside } from '../set-aside.ts'

export interface SetAsideAdministration {
  /** At most 200 of each, those who have waited the longest first; `all` is how many there are. */
  list(): Promise<SetAside & { all: { subscribers: number; signUps: number } }>
  /** They are tried at the next tick, which is asked for. */
  retry(actor: Actor, which: WhichSetAside): Promise<{ subscribers: number; signUps: number }>
}

const MOST_LISTED = 200

export const createSetAsideAdministration = ({
  db,
  wake,
}: {
  db: Database
  wake: (queueName: 'tick' | 'letters') => Promise<void>
}): SetAsideAdministration => ({
  async list() {
    const { subscribers, signUps } = await readSetAside(db)
    return {
      subscribers: subscribers.slice(0, MOST_LISTED),
      signUps: signUps.slice(0, MOST_LISTED),
      all: { subscribers: subscribers.length, signUps: signUps.length },
    }
  },
  async retry(actor, which) {
    const retried = await retrySetAside(db, which, actor)
    if (retried.subscribers > 0) await wake('tick')
    if (retried.signUps > 0) await wake('letters')
    return retried
  },
})
