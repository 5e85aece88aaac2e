/** Publishing what is due: editions that were interrupted, and one for everybody else who is due. */
import { describeError } from '../../core/redact.ts'
import { beginEdition, readUnpublishedEditions } from '../../store/editions.ts'
import { readHold } from '../../store/service-hold.ts'
import { isAnyoneDue } from '../../store/subscribers.ts'
import type { Edition, Published } from './chunk.ts'
import { type PublisherPorts, publishEdition, sum } from './edition-run.ts'

export type { Published } from './chunk.ts'
export type { PublisherPorts } from './edition-run.ts'

/** Editions that may be unfinished: one that cannot be published does not hold up the next, and no third is begun. */
const MOST_UNFINISHED = 2

/**
 * Publishes everything due by an instant: finishes editions that were interrupted, each with the cut-off it was begun with,
 * then holds one for who else is due; nothing while the service is held. Two publishers at once do no harm: each locks its
 * own subscribers, and one digest per subscriber and date is a key of the table. Throws at the end what kept an edition from
 * being finished.
 */
export const publishDue = async (ports: PublisherPorts, at: Date): Promise<Published> => {
  const { db, log } = ports
  const published: Published[] = []
  if ((await readHold(db)) !== null) return sum(published)
  const errors: unknown[] = []
  /** Those who cannot be published to, and stay due. */
  const except: string[] = []
  let canceled = false
  const publish = async (edition: Edition): Promise<void> => {
    try {
      const finished = await publishEdition(ports, edition, except)
      published.push(finished)
      canceled ||= finished.canceled
    } catch (error) {
      errors.push(error)
      log.error({ edition: edition.id, error: describeError(error) }, 'an edition could not be published to its end')
    }
  }
  for (const edition of await readUnpublishedEditions(db)) if (!canceled) await publish(edition)
  // Its cancellation decides when those who are left are due. The cut-off is stored before anything is composed, so that a
  // publisher who goes on with the edition uses the same papers.
  if (!canceled && errors.length < MOST_UNFINISHED && (await isAnyoneDue(db, at, except)))
    await publish(await beginEdition(db, at))
  if (errors.length > 0) throw errors[0]
  return sum(published)
}
