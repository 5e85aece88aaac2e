/** What came back, for the operator: bounces of every class, complaints and refusals with their words, by edition or reader. */
import type { BounceClass } from '../../core/bounces/bounce-class.ts'
import { classOfReply } from '../../core/sending/smtp-outcome.ts'
import { type ReturnedMail, streamReturned } from '../../store/bounce-list.ts'
import type { Database } from '../../store/database.ts'
import { readEdition } from '../../store/editions.ts'
import { readSubscriber } from '../../store/subscribers.ts'
import { UnusableEdition } from '../edition-control.ts'

export const RETURN_CLASSES = ['hard', 'soft', 'ours', 'unknown', 'complaint'] as const
export type ReturnClass = (typeof RETURN_CLASSES)[number]

export interface Bounce extends Omit<ReturnedMail, 'class' | 'reply'> {
  class: BounceClass | 'complaint'
}

const classOf = ({ kind, class: stored, reply, said }: ReturnedMail): Bounce['class'] => {
  if (kind === 'complaint') return 'complaint'
  return reply === null ? (stored ?? 'unknown') : classOfReply({ ...reply, reply: said ?? '' })
}

/**
 * Hands over what came back of an edition, of the reader with an address, or of both, the oldest first, up to a thousand at
 * a time; of all classes where `classes` is `null`. Throws `UnusableEdition` where there is no such edition or reader.
 */
export const streamBounces = async (
  db: Database,
  of: { edition: number | null; address: string | null; classes: readonly ReturnClass[] | null },
  take: (rows: Bounce[]) => Promise<void>,
): Promise<void> => {
  const { edition, address, classes } = of
  if (edition !== null && (await readEdition(db, edition)) === undefined)
    throw new UnusableEdition(`there is no edition ${edition}`)
  const reader = address === null ? undefined : await readSubscriber(db, { email: address })
  if (address !== null && reader === undefined) throw new UnusableEdition(`there is no subscriber ${address}`)
  await streamReturned(db, { editionId: edition, subscriberId: reader?.id ?? null }, async (rows) => {
    const bounces = rows.map(({ reply, ...row }) => ({ ...row, class: classOf({ reply, ...row }) }))
    await take(bounces.filter((one) => classes === null || classes.includes(one.class)))
  })
}
