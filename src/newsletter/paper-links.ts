/** Links of digests by which a reader says something of one paper: whose link it is, which paper, and one press after the other. */
import { PAPER_ID } from '../core/papers/paper.ts'
import { readArxivId } from '../core/papers/paper-row.ts'
import { isSubscribed } from '../core/subscriber/preferences.ts'
import { plainTitle } from '../core/text/latex.ts'
import type { Database } from '../store/database.ts'
import { readShownPapers } from '../store/papers/paper-lists.ts'
import { findTokenOwner, type LinkPorts } from './subscription/token-owner.ts'

/** A paper that is shown. */
export interface LinkedPaper {
  id: string
  title: string
}

/** Why a link does nothing: its reader has left, or the paper is hidden or unknown. */
export type LinkRefusal = { outcome: 'not subscribed' | 'no paper' }

/** Of whom and which paper something is said, and when. */
export interface PaperPress {
  subscriberId: string
  paperId: string
  at: Date
}

/** A paper that may be shown at an instant, by its id with or without a version; `null` where there is none. */
export const readLinkedPaper = async (db: Database, given: string, at: Date): Promise<LinkedPaper | null> => {
  if (!PAPER_ID.test(given)) return null
  const id = readArxivId(given) ?? given
  const [shown] = await readShownPapers(db, at, [id])
  return shown === undefined ? null : { id, title: plainTitle(shown.paper.title) }
}

/**
 * What such a link leads to; `null`: it is unknown, altered, of another purpose or dead. It tells nobody what its reader did
 * before, for it may have been forwarded.
 */
export const readPaperLink = async (
  { db, keys, now }: LinkPorts,
  token: string,
  paperId: string,
): Promise<{ outcome: 'open'; paper: LinkedPaper } | LinkRefusal | null> => {
  const owner = await findTokenOwner(db, keys, 'vote', token)
  if (owner === null) return null
  if (!isSubscribed(owner.state)) return { outcome: 'not subscribed' }
  const paper = await readLinkedPaper(db, paperId, now())
  return paper === null ? { outcome: 'no paper' } : { outcome: 'open', paper }
}

/**
 * Does something for a link's reader, who stays locked: presses follow each other, and an erasure has them all. Nothing is
 * done where the link is refused.
 */
export const pressPaperLink = <Outcome extends string>(
  { db, keys, now }: LinkPorts,
  token: string,
  paperId: string,
  act: (trx: Database, press: PaperPress) => Promise<Outcome>,
): Promise<{ outcome: Outcome; paper: LinkedPaper } | LinkRefusal | null> =>
  db.transaction().execute(async (trx) => {
    const owner = await findTokenOwner(trx, keys, 'vote', token, true)
    if (owner === null) return null
    if (!isSubscribed(owner.state)) return { outcome: 'not subscribed' }
    const at = now()
    const paper = await readLinkedPaper(trx, paperId, at)
    if (paper === null) return { outcome: 'no paper' }
    return { outcome: await act(trx, { subscriberId: owner.id, paperId: paper.id, at }), paper }
  })
