/** Votes: a reader's own link counts one vote a paper, whoever presses it and however often. */
import { DAY } from '../core/calendar.ts'
import { PAPER_ID } from '../core/papers/paper.ts'
import { readArxivId } from '../core/papers/paper-row.ts'
import { isSubscribed } from '../core/subscriber/preferences.ts'
import { plainTitle } from '../core/text/latex.ts'
import type { Database } from '../store/database.ts'
import { readShownPapers } from '../store/papers/paper-lists.ts'
import { countVotes, countVotesSince, deleteVote, hasVoted, storeVote } from '../store/votes.ts'
import { findTokenOwner, type LinkPorts } from './subscription/token-owner.ts'

/** Votes of one reader in 24 hours: more papers than a day's list has. */
const MOST_A_DAY = 200

/** A paper that is shown, and how many readers have voted for it. */
export interface VotedPaper {
  id: string
  title: string
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
  readPaper: (paperId) => readVotedPaper(ports.db, paperId, ports.now()),
  async read(token, paperId) {
    const { db, keys, now } = ports
    const owner = await findTokenOwner(db, keys, 'vote', token)
    if (owner === null) return null
    if (!isSubscribed(owner.state)) return { outcome: 'not subscribed' }
    const paper = await readVotedPaper(db, paperId, now())
    return paper === null ? { outcome: 'no paper' } : { outcome: 'open', paper }
  },
  vote: (token, paperId) => press(ports, token, paperId, castVote),
  takeBack: (token, paperId) =>
    press(ports, token, paperId, async (trx, vote) =>
      (await deleteVote(trx, vote.paperId, vote.subscriberId)) ? 'taken back' : 'none',
    ),
})

/** A paper that may be shown at an instant, by its id with or without a version; `null` where there is none. */
const readVotedPaper = async (db: Database, given: string, at: Date): Promise<VotedPaper | null> => {
  if (!PAPER_ID.test(given)) return null
  const id = readArxivId(given) ?? given
  const [shown] = await readShownPapers(db, at, [id])
  if (shown === undefined) return null
  return { id, title: plainTitle(shown.paper.title), votes: (await countVotes(db, [id], at)).get(id) ?? 0 }
}

interface Vote {
  paperId: string
  subscriberId: string
  at: Date
}

const castVote = async (trx: Database, vote: Vote): Promise<'counts' | 'counted' | 'too many'> => {
  if (await hasVoted(trx, vote.paperId, vote.subscriberId)) return 'counted'
  const since = new Date(vote.at.getTime() - DAY)
  if ((await countVotesSince(trx, vote.subscriberId, since)) >= MOST_A_DAY) return 'too many'
  await storeVote(trx, vote)
  return 'counts'
}

/** Does something with the vote of a link's reader, who stays locked: presses follow each other, and an erasure has them all. */
const press = (
  { db, keys, now }: LinkPorts,
  token: string,
  paperId: string,
  act: (trx: Database, vote: Vote) => Promise<'counts' | 'counted' | 'taken back' | 'none' | 'too many'>,
): Promise<Press | null> =>
  db.transaction().execute(async (trx) => {
    const owner = await findTokenOwner(trx, keys, 'vote', token, true)
    if (owner === null) return null
    if (!isSubscribed(owner.state)) return { outcome: 'not subscribed' }
    const at = now()
    const paper = await readVotedPaper(trx, paperId, at)
    if (paper === null) return { outcome: 'no paper' }
    const outcome = await act(trx, { paperId: paper.id, subscriberId: owner.id, at })
    if (outcome === 'too many') return { outcome }
    const change = { counts: 1, counted: 0, 'taken back': -1, none: 0 }[outcome]
    return { outcome, paper: { ...paper, votes: paper.votes + change } }
  })
