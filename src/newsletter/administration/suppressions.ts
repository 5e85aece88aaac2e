/** What operators read of suppressions and do with them; each change is on record, and in the log of suppressions. */

import type { Actor } from '../../core/operator.ts'
import { addressHashes } from '../../core/subscriber/address-hash.ts'
import { maskAddress } from '../../core/subscriber/masked-address.ts'
import type { SubscriberState } from '../../core/subscriber/preferences.ts'
import type { Keys } from '../../core/token.ts'
import { recordAct } from '../../store/audit.ts'
import type { Database, SuppressionClass } from '../../store/database.ts'
import {
  countSuppressions,
  forgetErased,
  type ListedSuppression,
  listSuppressionChanges,
  listSuppressionsWhere,
  readErased,
  type SuppressionChange,
} from '../../store/suppressions.ts'
import {
  addSuppression,
  type RemovedSuppressions,
  removeSuppression,
  removeSuppressions,
} from '../feedback/suppressions.ts'
import { pageOf } from './page.ts'

export type { ListedSuppression, SuppressionChange } from '../../store/suppressions.ts'
export type { RemovedSuppressions } from '../feedback/suppressions.ts'

export const SUPPRESSION_CLASSES = [
  'hard',
  'soft',
  'complaint',
  'reader',
  'operator',
] as const satisfies readonly SuppressionClass[]

/** What a mail server caused: the only ones that are removed many at a time. */
export const CAUSED_BY_SERVERS = ['hard', 'soft'] as const satisfies readonly SuppressionClass[]

/** Suppressions that are removed at a time; whoever has more presses again. */
export const MOST_REMOVED = 1_000

export interface SuppressionList {
  rows: ListedSuppression[]
  /** The address behind which older ones follow; `null` on the last page. */
  more: string | null
  /** All there are, by class. */
  classes: Partial<Record<SuppressionClass, number>>
  /** How many addresses were erased. Of each a keyed hash is kept alone, so they are found only by their whole address. */
  erased: number
  /** What is left of the address that was searched for, where it was erased. */
  found: { class: SuppressionClass | 'erased'; at: Date } | null
}

export interface SuppressionAdministration {
  list(
    filter: { classes: readonly SuppressionClass[]; editionId: number | null; text: string | null },
    after: string | null,
  ): Promise<SuppressionList>
  /** The newest first, those with a lower number than `before`. */
  listChanges(before: number | null): Promise<{ rows: SuppressionChange[]; more: number | null }>
  /** `problem`: what was typed is no address, as a sentence. */
  add(actor: Actor, typed: string, why: string): Promise<{ email: string; added: boolean } | { problem: string }>
  /** Lets an address be mailed again, also one that was erased; `null` where it may be. */
  remove(actor: Actor, email: string, why: string): Promise<{ email: string; state: SubscriberState | null } | null>
  /** What `removeOfEdition` would remove. */
  planRemoval(editionId: number): Promise<RemovedSuppressions>
  /** Removes those that servers caused by refusing an edition, at most `MOST_REMOVED`. */
  removeOfEdition(actor: Actor, editionId: number, why: string): Promise<RemovedSuppressions>
}

const A_PAGE = 50

export const createSuppressionAdministration = ({
  db,
  keys,
  now,
}: {
  db: Database
  keys: Keys
  now: () => Date
}): SuppressionAdministration => {
  const ofEdition = (editionId: number) => ({ editionId, classes: CAUSED_BY_SERVERS, since: null, until: null })
  const byOf = ({ byWhom: whom, ...actor }: Actor, why: string) => ({ ...actor, whom, why })
  return {
    async list(filter, after) {
      const { rows, more } = pageOf(await listSuppressionsWhere(db, filter, after, A_PAGE + 1), A_PAGE)
      const erased = filter.text?.includes('@') ? await readErased(db, addressHashes(keys, filter.text)) : undefined
      return {
        rows,
        more: more?.email ?? null,
        ...(await countSuppressions(db)),
        found: erased === undefined ? null : { class: erased.class, at: erased.erased_at },
      }
    },
    async listChanges(before) {
      const { rows, more } = pageOf(await listSuppressionChanges(db, before, A_PAGE + 1), A_PAGE)
      return { rows, more: more?.id ?? null }
    },
    add: (actor, typed, why) => addSuppression(db, typed, byOf(actor, why)),
    async remove(actor, email, why) {
      const removed = await removeSuppression(db, now(), email, byOf(actor, why))
      if (removed !== null) return removed
      const forgotten = await db.transaction().execute(async (trx) => {
        if (!(await forgetErased(trx, addressHashes(keys, email)))) return false
        const subject = `address:${maskAddress(email)}`
        await recordAct(trx, { ...actor, action: 'suppression.removed', subject, detail: { class: 'erased', why } })
        return true
      })
      return forgotten ? { email: email.toLowerCase(), state: null } : null
    },
    planRemoval: (editionId) =>
      removeSuppressions(db, now(), ofEdition(editionId), { whom: '', why: '' }, true, MOST_REMOVED),
    removeOfEdition: (actor, editionId, why) =>
      removeSuppressions(db, now(), ofEdition(editionId), byOf(actor, why), false, MOST_REMOVED),
  }
}
