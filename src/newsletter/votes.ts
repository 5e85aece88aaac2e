/** Votes: a reader's own link counts one vote a paper, whoever presses it and however often. */
import { DAY } from '../core/calendar.ts'
import type { Database } from '../store/database.ts'
import { countVotes, countVotesSince, deleteVote, hasVoted, storeVote } from '../store/votes.ts'
import { type LinkedPaper, type PaperPress, pressPaperLink, readLinkedPaper, readPaperLink } from './paper-links.ts'
import type { LinkPorts } from './subscription/token-owner.ts'

/** Votes of one reader in 24 hours: more papers than a day's list has. */
const MOST_A_DAY = 200

/** A paper that is shown, and how many readers have voted for it. */
export interface VotedPaper extends LinkedPaper {
  votes: number
}

/**
 * What a press of a vote link came to: the vote `counts` now, or `counted` before; it was `taken back`, or there was
 * `none`. Nothing is changed where its reader has left (`not subscribed`), where the paper is hidden or unknown (`no paper`)
 * and where the reader has voted for `too many` papers within a day.
 */
export type Press =
  | { outcome: 'counts' | 'counted' | 'taken back' | 'none'; paper: VotedPaper }
  | { outcome: 'not subscribed' | 'no paper' | 'too many' }

/** `null` always means: that link is unknown, altered, of another purpose or dead. */
export interface Votes {
  /** A paper that may be voted for; `null`: hidden or unknown. */
  readPaper(paperId: string): Promise<VotedPaper | null>
  /** What a vote link leads to. It tells nobody whether its reader has voted, for it may have been forwarded. */
  read(
    token: string,
    paperId: string,
  ): Promise<{ outcome: 'open'; paper: VotedPaper } | { outcome: 'not subscribed' | 'no paper' } | null>
  vote(token: string, paperId: string): Promise<Press | null>
  takeBack(token: string, paperId: string): Promise<Press | null>
}

export const createVotes = (ports: LinkPorts): Votes => ({
  async readPaper(paperId) {
    const paper = await readLinkedPaper(ports.db, paperId, ports.now())
    return paper === null ? null : counted(ports, paper)
  },
  async read(token, paperId) {
    const found = await readPaperLink(ports, token, paperId)
    return found !== null && 'paper' in found ? { ...found, paper: await counted(ports, found.paper) } : found
  },
  vote: (token, paperId) => press(ports, token, paperId, castVote),
  takeBack: (token, paperId) =>
    press(ports, token, paperId, async (trx, vote) =>
      (await deleteVote(trx, vote.paperId, vote.subscriberId)) ? 'taken back' : 'none',
    ),
})

const counted = async ({ db, now }: LinkPorts, paper: LinkedPaper): Promise<VotedPaper> => ({
  ...paper,
  votes: (await countVotes(db, [paper.id], now())).get(paper.id) ?? 0,
})

const castVote = async (trx: Database, vote: PaperPress): Promise<'counts' | 'counted' | 'too many'> => {
  if (await hasVoted(trx, vote.paperId, vote.subscriberId)) return 'counted'
  const since = new Date(vote.at.getTime() - DAY)
  if ((await countVotesSince(trx, vote.subscriberId, since)) >= MOST_A_DAY) return 'too many'
  await storeVote(trx, vote)
  return 'counts'
}

/** Does something with the vote of a link's reader, and counts those of the paper afterwards. */
const press = async (
  ports: LinkPorts,
  token: string,
  paperId: string,
  act: (trx: Database, vote: PaperPress) => Promise<'counts' | 'counted' | 'taken back' | 'none' | 'too many'>,
): Promise<Press | null> => {
  const pressed = await pressPaperLink(ports, token, paperId, act)
  if (pressed === null || !('paper' in pressed)) return pressed
  const { outcome, paper } = pressed
  return outcome === 'too many' ? { outcome } : { outcome, paper: await counted(ports, paper) }
}
