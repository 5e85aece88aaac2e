/** Sign-ups: each is stored and answered at once on the site, and then worked off, which decides on a letter to it. */
import { isOutage } from '../../core/database-error.ts'
import type { Log } from '../../core/log.ts'
import { describeError } from '../../core/redact.ts'
import { addressHash, addressHashes } from '../../core/subscriber/address-hash.ts'
import { REQUESTED } from '../../core/subscriber/consent.ts'
import { mailboxKey } from '../../core/subscriber/mailbox.ts'
import { isSubscribed, type Preferences, STANDARD } from '../../core/subscriber/preferences.ts'
import {
  PROVEN_FACTOR,
  type SignUpLimits,
  STANDARD_LIMITS,
  signUpScopes,
} from '../../core/subscriber/sign-up-limits.ts'
import { type Keys, keyedHash } from '../../core/token.ts'
import { storeConsent } from '../../store/consent.ts'
import type { Database, LetterKind } from '../../store/database.ts'
import { readNewestLetter } from '../../store/outbox/mail-records.ts'
import { storeLetter } from '../../store/outbox/outbox.ts'
import {
  allowLetter,
  countFailedSignUp,
  countSignUp,
  hasSignUps,
  holdSignUp,
  type LetterLimit,
  type SignUp,
  takeSignUp,
} from '../../store/sign-ups.ts'
import { makePending, preferencesOf, readSubscriber, type Subscriber, stopMail } from '../../store/subscribers.ts'
import { readSuppressionClass } from '../../store/suppressions.ts'
import { readMoving } from './token-owner.ts'

/** What a new address has until a subscription moves there: nothing of the other's, for it may be a stranger's. */
const UNTIL_MOVED: Preferences = { ...STANDARD, trending: true, topics: [], frequency: 'daily', timeZone: 'UTC' }

/** The largest `integer` of Postgres, for letters that only their frequency limits. */
const ANY_NUMBER = 2_147_483_647
/** Whatever the form makes us write: a mailbox gets one letter a day of it, in all spellings of its address together. */
const ANY_LETTER: LetterLimit = { name: 'letter', most: ANY_NUMBER, everyDays: 1 }
/** Of these, until it confirms. */
const CONFIRMATION: LetterLimit = { name: 'confirmation', most: 3, everyDays: 1 }
/** Confirmations to a mailbox that complained. */
const AFTER_COMPLAINT: LetterLimit = { name: 'after a complaint', most: 3, everyDays: 30 }
/** What a mailbox has again once it has confirmed. */
export const LIMITS_UNTIL_CONFIRMED = [ANY_LETTER.name, CONFIRMATION.name]

/** Sign-ups that one call finds no room for: it ends then, for others to be served. */
const MOST_HELD = 200

/** Attempts at a sign-up until it is set aside. */
const MOST_ATTEMPTS = 3

export interface SignUpPorts {
  db: Database
  keys: Keys
  log: Log
  limits?: SignUpLimits
  /** Called when some are left to another call, so that the letters that were written go first. */
  wakeAgain?: () => unknown
}

/**
 * Answers what people asked for on the site: decides per address whether a letter goes, and which. Returns how many
 * sign-ups were answered. One that is over a limit is held for a while instead, and dropped where there is no room then
 * either; it is counted whatever is known of the address, so that the limits tell nobody who subscribes. Once one is
 * answered, those that were held before are left to the next call, so that its letter does not wait behind thousands of an
 * attack. Each stands in a transaction of its own and is tried once: one that fails is there again, is tried at the next
 * call, and is set aside after three failures, for an operator to look at. Throws when the database is away, which counts
 * against none.
 */
export const answerSignUps = async ({
  db,
  keys,
  log,
  limits = STANDARD_LIMITS,
  wakeAgain = () => undefined,
}: SignUpPorts): Promise<number> => {
  let answered = 0
  let held = 0
  const failed: number[] = []
  for (;;) {
    let taken: SignUp | null = null
    try {
      const outcome = await db.transaction().execute(async (trx) => {
        taken = await takeSignUp(trx, failed, { neverHeld: answered > 0 })
        if (taken === null) return 'none left'
        const scopes = signUpScopes(keys, limits, taken)
        if (await countSignUp(trx, scopes, taken.proven ? PROVEN_FACTOR : 1)) {
          await answerSignUp(trx, keys, taken)
          return 'answered'
        }
        if (!taken.held) await holdSignUp(trx, taken)
        return taken.held ? 'dropped' : 'held'
      })
      if (outcome === 'none left') {
        if (answered > 0 && (await hasSignUps(db, failed))) wakeAgain()
        return answered
      }
      if (outcome === 'answered') answered++
      if (outcome !== 'answered' && ++held >= MOST_HELD) {
        wakeAgain()
        return answered
      }
    } catch (error) {
      // The compiler does not see that the transaction assigns it.
      const signUp = taken as SignUp | null
      if (signUp === null || isOutage(error)) throw error
      await noteFailure({ db, log }, signUp, error)
      failed.push(signUp.id)
    }
  }
}

const noteFailure = async ({ db, log }: Omit<SignUpPorts, 'keys'>, { id }: SignUp, error: unknown): Promise<void> => {
  const thrown = describeError(error)
  if (await countFailedSignUp(db, id, thrown.message, MOST_ATTEMPTS))
    log.error({ signUp: id, error: thrown }, `a sign-up could not be answered and is set aside: set-aside retry ${id}`)
  else log.warn({ signUp: id, error: thrown }, 'a sign-up could not be answered; it is tried again within a minute')
}

type Reply = Exclude<LetterKind, 'welcome'>

const answerSignUp = async (trx: Database, keys: Keys, signUp: SignUp): Promise<void> => {
  const mailbox = keyedHash(keys, mailboxKey(signUp.email))
  const write = async (subscriber: Subscriber, kind: Reply, preferences: Preferences | null = null) => {
    const before = await readNewestLetter(trx, subscriber.id, kind)
    // It goes as soon as the relay takes mail; a second one would come with it.
    if (before?.became === 'waiting') return
    const limits = kind === 'confirmation' || kind === 'new-address' ? [ANY_LETTER, CONFIRMATION] : [ANY_LETTER]
    // A letter that never left was counted, and is made up for.
    if (before?.became !== 'never left' && !(await allowLetter(trx, mailbox, limits))) return
    const confirmed = preferences ?? before?.preferences ?? preferencesOf(subscriber)
    const letterId = await storeLetter(trx, {
      subscriberId: subscriber.id,
      kind,
      digestId: null,
      requestedAt: signUp.requestedAt,
      // Each confirmation's link confirms what was chosen with it: somebody else who enters the address changes nothing.
      preferences: kind === 'confirmation' ? confirmed : null,
      moves: kind === 'new-address' ? signUp.moves : null,
      paperId: kind === 'vote' ? signUp.paperId : null,
      groupId: signUp.groupId,
    })
    if (kind === 'confirmation' || kind === 'new-address')
      await recordRequest(trx, keys, signUp, subscriber.id, letterId, confirmed)
  }
  const suppressed = await readSuppressionClass(trx, signUp.email, addressHashes(keys, signUp.email))
  if (suppressed !== null) {
    // A reader who complained may subscribe again themselves; somebody else who enters the address cannot have them mailed
    // often for it.
    if (suppressed !== 'complaint' || signUp.preferences === null) return
    if (!(await allowLetter(trx, mailbox, [AFTER_COMPLAINT]))) return
    const complained = await readSubscriber(trx, { email: signUp.email }, true)
    if (complained?.state === 'suppressed') await stopMail(trx, complained.id, 'unsubscribed')
  }
  const known = await readSubscriber(trx, { email: signUp.email }, true)
  if (signUp.moves !== null) {
    if ((await readMoving(trx, signUp.moves)) === null) return
    // An address that has a subscription keeps it, and is told of it: which of the two is wanted is for its reader to say.
    if (known !== undefined && isSubscribed(known.state)) return write(known, 'already-subscribed')
    const newcomer = await makePending(trx, signUp.email, UNTIL_MOVED, signUp.requestedAt)
    if (newcomer.state === 'pending') await write(newcomer, 'new-address')
    return
  }
  if (signUp.preferences === null) {
    // Links are for those who are or were subscribed; somebody still pending gets the confirmation they have lost.
    if (known === undefined) return
    if (known.state === 'pending') await write(known, 'confirmation')
    else if (signUp.kind === 'vote' && isSubscribed(known.state)) await write(known, 'vote')
    else if (known.state !== 'suppressed') await write(known, 'links')
    return
  }
  if (known !== undefined && isSubscribed(known.state)) return write(known, 'already-subscribed')
  const subscriber = await makePending(trx, signUp.email, signUp.preferences, signUp.requestedAt)
  if (subscriber.state === 'pending') await write(subscriber, 'confirmation', signUp.preferences)
}

/** Records that somebody asked to be mailed; it counts for nothing until they confirm. */
const recordRequest = async (
  trx: Database,
  keys: Keys,
  { email, origin, requestedAt }: SignUp,
  subscriberId: string,
  letterId: string,
  preferences: Preferences,
): Promise<void> => {
  const from = origin ?? { source: 'unknown', form: null, client: null }
  await storeConsent(trx, {
    at: requestedAt,
    event: 'requested',
    subscriberId,
    addressHash: addressHash(keys, email),
    origin: from,
    // A program was shown no sentence of ours.
    wording: from.source === 'form' ? REQUESTED : null,
    preferences,
    letterId,
    requestedAt,
  })
}
