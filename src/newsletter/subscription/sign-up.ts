/** Sign-ups: each is stored and answered at once on the site, and then worked off, which decides on a letter to it. */
import { isOutage } from '../../core/database-error.ts'
import type { Log } from '../../core/log.ts'
import { describeError } from '../../core/redact.ts'
import { mailboxKey } from '../../core/subscriber/address.ts'
import { isSubscribed } from '../../core/subscriber/preferences.ts'
import { type Keys, keyedHash } from '../../core/token.ts'
import type { Database } from '../../store/database.ts'
import { readNewestLetter } from '../../store/outbox/mail-records.ts'
import { storeLetter } from '../../store/outbox/outbox.ts'
import { allowLetter, countFailedSignUp, type SignUp, takeSignUp } from '../../store/sign-ups.ts'
import { readSubscriber, stopMail, upsertPending } from '../../store/subscribers.ts'
import { readSuppression } from '../../store/suppressions.ts'

/** Confirmations to one mailbox until it confirms. */
const MOST_CONFIRMATIONS = 3
/** Of letters that only their frequency limits; the largest `integer` of Postgres. */
const NO_LIMIT = 2_147_483_647
/** Days between two confirmations to a mailbox that complained. */
const DAYS_AFTER_COMPLAINT = 30

/** Attempts at a sign-up until it is set aside. */
const MOST_ATTEMPTS = 3

export interface SignUpPorts {
  db: Database
  keys: Keys
  log: Log
}

/**
 * Answers what people asked for on the site: decides per address whether a letter goes, and which. Returns how many
 * sign-ups were answered. Each stands in a transaction of its own and is tried once: one that fails is there again, is
 * tried at the next call, and is set aside after three failures, for an operator to look at. Throws when the database is
 * away, which counts against none.
 */
export const answerSignUps = async ({ db, keys, log }: SignUpPorts): Promise<number> => {
  let answered = 0
  for (let last = 0; ; ) {
    let taken: SignUp | null = null
    try {
      taken = await db.transaction().execute(async (trx) => {
        taken = await takeSignUp(trx, last)
        if (taken !== null) await answerSignUp(trx, keys, taken)
        return taken
      })
      if (taken === null) return answered
      answered++
    } catch (error) {
      if (taken === null || isOutage(error)) throw error
      await noteFailure({ db, log }, taken, error)
    }
    last = taken.id
  }
}

const noteFailure = async ({ db, log }: Omit<SignUpPorts, 'keys'>, { id }: SignUp, error: unknown): Promise<void> => {
  const thrown = describeError(error)
  if (await countFailedSignUp(db, id, thrown.message, MOST_ATTEMPTS))
    log.error({ signUp: id, error: thrown }, `a sign-up could not be answered and is set aside: set-aside retry ${id}`)
  else log.warn({ signUp: id, error: thrown }, 'a sign-up could not be answered; it is tried again within a minute')
}

const answerSignUp = async (trx: Database, keys: Keys, signUp: SignUp): Promise<void> => {
  const mailbox = keyedHash(keys, mailboxKey(signUp.email))
  const write = async (subscriberId: string, kind: 'confirmation' | 'links' | 'already-subscribed', most: number) => {
    const before = await readNewestLetter(trx, subscriberId, kind)
    // It goes as soon as the relay takes mail; a second one would come with it.
    if (before === 'waiting') return
    // A letter that never left was counted, and is made up for.
    if (before !== 'never left' && !(await allowLetter(trx, mailbox, kind, most))) return
    await storeLetter(trx, { subscriberId, kind, digestId: null, requestedAt: signUp.requestedAt })
  }
  const suppressed = await readSuppression(trx, signUp.email)
  if (suppressed !== undefined) {
    // A reader who complained may subscribe again themselves; somebody else who enters the address cannot have them mailed
    // often for it.
    if (suppressed.class !== 'complaint' || signUp.preferences === null) return
    if (!(await allowLetter(trx, mailbox, 'after a complaint', MOST_CONFIRMATIONS, DAYS_AFTER_COMPLAINT))) return
    const complained = await readSubscriber(trx, { email: signUp.email }, true)
    if (complained?.state === 'suppressed') await stopMail(trx, complained.id, 'unsubscribed')
  }
  const known = await readSubscriber(trx, { email: signUp.email }, true)
  if (signUp.preferences === null) {
    // Links are for those who are or were subscribed; somebody still pending gets the confirmation they have lost.
    if (known === undefined) return
    if (known.state === 'pending') await write(known.id, 'confirmation', MOST_CONFIRMATIONS)
    else if (known.state !== 'suppressed') await write(known.id, 'links', NO_LIMIT)
    return
  }
  if (known !== undefined && isSubscribed(known.state)) return write(known.id, 'already-subscribed', NO_LIMIT)
  const subscriber = await upsertPending(trx, signUp.email, signUp.preferences, signUp.requestedAt)
  if (subscriber.state === 'pending') await write(subscriber.id, 'confirmation', MOST_CONFIRMATIONS)
}
