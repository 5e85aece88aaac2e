/** Whose link it is: the subscriber that the token of an emailed link names and proves. */
import { isSubscribed } from '../../core/subscriber/preferences.ts'
import { type Keys, provesToken, readTokenId } from '../../core/token.ts'
import type { Database, Move } from '../../store/database.ts'
import { readSubscriber, type Subscriber } from '../../store/subscribers.ts'

export interface LinkPorts {
  db: Database
  keys: Keys
  now: () => Date
  /** The name that readers know; `DEFAULT_NAME` where it is left out. */
  serviceName?: string
}

/** A subscriber who is not erased. */
export type AddressedSubscriber = Subscriber & { email: string }

/**
 * The owner of a link of this purpose; `null` when the token is unknown, altered or of another purpose. Preferences links, feeds
 * and vote links die when the epoch is raised, those that stop mail never. With `lock` the row stays locked to the end of `trx`.
 */
export const findTokenOwner = async (
  trx: Database,
  keys: Keys,
  purpose: 'preferences' | 'feed' | 'saved' | 'vote' | 'unsubscribe' | 'never' | 'announcements',
  token: string,
  lock = false,
): Promise<AddressedSubscriber | null> => {
  const id = readTokenId(token)
  if (id === null) return null
  const subscriber = await readAddressed(trx, id, lock)
  if (subscriber === null) return null
  const lasts = purpose === 'unsubscribe' || purpose === 'never' || purpose === 'announcements'
  return provesToken(keys, purpose, token, lasts ? 0 : subscriber.epoch) ? subscriber : null
}

/** The subscriber of an id; `null` when there is none, or they are erased. */
export const readAddressed = async (trx: Database, id: string, lock = false): Promise<AddressedSubscriber | null> => {
  const subscriber = await readSubscriber(trx, { id }, lock)
  return subscriber === undefined || subscriber.email === null ? null : { ...subscriber, email: subscriber.email }
}

/** The subscriber whose subscription is to move, while they are subscribed and have not renewed their links since. */
export const readMoving = async (
  trx: Database,
  { subscriberId, epoch }: Move,
  lock = false,
): Promise<AddressedSubscriber | null> => {
  const subscriber = await readAddressed(trx, subscriberId, lock)
  return subscriber !== null && subscriber.epoch === epoch && isSubscribed(subscriber.state) ? subscriber : null
}
