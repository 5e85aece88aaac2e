/** The digest that the link of a mail leads to. */
import { type Keys, provesToken, readTokenId } from '../core/token.ts'
import type { Database } from '../store/database.ts'
import { type Digest, readDigest } from '../store/digests.ts'
import { readDelivery, readLetter } from '../store/outbox/mail-records.ts'
import { readSubscriber } from '../store/subscribers.ts'

/** `null` when the link is unknown, of another purpose, or older than its reader's newest links. */
export const findLinkedDigest = async (db: Database, keys: Keys, token: string): Promise<Digest | null> => {
  const id = readTokenId(token)
  if (id === null) return null
  // A welcome's token names its letter, any other digest's its delivery.
  const mail = (await readDelivery(db, id)) ?? (await readLetter(db, id))
  if (mail === undefined || mail.digest_id === null) return null
  const subscriber = await readSubscriber(db, { id: mail.subscriber_id })
  if (subscriber === undefined || !provesToken(keys, 'view', token, subscriber.epoch)) return null
  return (await readDigest(db, mail.digest_id)) ?? null
}
