/** Saving papers to one's reading list by the links of digests: each once, whoever presses and however often. */
import { DAY } from '../core/calendar.ts'
import type { Database } from '../store/database.ts'
import { countSaved, deleteSaved, hasSaved, readDigestDateOf, storeSaved } from '../store/saved-papers.ts'
import { type LinkedPaper, type LinkRefusal, type PaperPress, pressPaperLink, readPaperLink } from './paper-links.ts'
import type { LinkPorts } from './subscription/token-owner.ts'

/** Papers that one reader may save in 24 hours: more than a day's list has. */
const MOST_A_DAY = 200

/** Papers of one list. */
export const MOST_SAVED = 10_000

/** Why a paper was not saved: too many within a day, or the list is full. */
export type SaveLimit = 'too many' | 'full'

/**
 * What a press came to: the paper is `saved` now, or `kept` from before; it was `removed`, or there was `none`. Nothing is
 * changed by a limit, or where the link is refused.
 */
export type SavePress = { outcome: 'saved' | 'kept' | 'removed' | 'none' | SaveLimit; paper: LinkedPaper } | LinkRefusal

/** `null` always means: that link is unknown, altered, of another purpose or dead. */
export interface SavedPapers {
  /** What a link to save leads to; it tells nobody whether its reader has saved the paper. */
  read(token: string, paperId: string): Promise<{ outcome: 'open'; paper: LinkedPaper } | LinkRefusal | null>
  save(token: string, paperId: string): Promise<SavePress | null>
  remove(token: string, paperId: string): Promise<SavePress | null>
}

export const createSavedPapers = (ports: LinkPorts): SavedPapers => ({
  read: (token, paperId) => readPaperLink(ports, token, paperId),
  save: (token, paperId) => pressPaperLink(ports, token, paperId, savePaper),
  remove: (token, paperId) =>
    pressPaperLink(ports, token, paperId, async (trx, { subscriberId, paperId: id }) =>
      (await deleteSaved(trx, subscriberId, id)) ? 'removed' : 'none',
    ),
})

/** Saves a paper for a reader, who is locked; one that was saved before stays as it was. */
export const savePaper = async (
  trx: Database,
  { subscriberId, paperId, at }: PaperPress,
): Promise<'saved' | 'kept' | SaveLimit> => {
  if (await hasSaved(trx, subscriberId, paperId)) return 'kept'
  const { all, recent } = await countSaved(trx, subscriberId, new Date(at.getTime() - DAY))
  if (all >= MOST_SAVED) return 'full'
  if (recent >= MOST_A_DAY) return 'too many'
  const digestDate = await readDigestDateOf(trx, subscriberId, paperId, at)
  await storeSaved(trx, { subscriberId, paperId, at, digestDate })
  return 'saved'
}
