/** What readers and curators here said for papers by an instant. */
import type { Endorsements } from '../core/digest/endorsement.ts'
import { readPicks, readPins } from '../store/curations.ts'
import type { Database } from '../store/database.ts'
import { countVotes } from '../store/votes.ts'

/**
 * Reads the endorsements of some papers, those of pins as far as they are to a list day of one of these papers. The function
 * has them by the id of a paper.
 */
export const readEndorsements = async (
  db: Database,
  papers: readonly { id: string; listDay: string }[],
  at: Date,
): Promise<(id: string) => Endorsements & { pinnedTo: string | null }> => {
  const ids = papers.map(({ id }) => id)
  const votes = await countVotes(db, ids, at)
  const picks = await readPicks(db, ids, at)
  const days = await readPins(db, [...new Set(papers.map(({ listDay }) => listDay))], at)
  const pins = new Map([...days].flatMap(([day, all]) => all.map((pin) => [pin.paperId, { ...pin, day }] as const)))
  return (id) => {
    const pin = pins.get(id) ?? null
    return { votes: votes.get(id) ?? 0, pick: picks.get(id) ?? null, pin, pinnedTo: pin?.day ?? null }
  }
}
