/** Why a paper is here, in one plain sentence of which every word is true: its topic, the words found, its rank; and the order. */

import { topicLabel } from '../subscriber/followed.ts'
import type { DayRank, DigestEntry, DigestIssue } from './digest.ts'
import type { Endorsed } from './endorsement.ts'
import { isMostUpvotedFirst, matchesOf, onDays, shortName } from './headline.ts'
import { kindOfInterest } from './interests.ts'
import type { InterestMatch } from './ranking.ts'

const NBSP = '\u00a0'
const number = new Intl.NumberFormat('en')

/** "a", "a and b", "a, b and c". */
const joinWords = (words: string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`

/** `“GUI agents” in the title, “screen” and “clicks” in the abstract` */
const foundWords = (matches: readonly InterestMatch[]): string =>
  (['authors', 'title', 'abstract'] as const)
    .map((field) => {
      const found = matches.filter((match) => match.field === field)
      if (field === 'authors') return found.length > 0 ? `By ${joinWords(found.map(({ words }) => words))}` : ''
      const quoted = found.map(({ words }) => `“${words}”`)
      return quoted.length > 0 ? `${joinWords(quoted)} in the ${field}` : ''
    })
    .filter((part) => part !== '')
    .join(', ')

/** What stands before the words; an author's name speaks for itself. */
const labelOf = (topic: string): string => {
  const kind = kindOfInterest(topic)
  if (kind === 'keyword') return 'Keyword'
  return kind === 'author' ? '' : topicLabel(topic)
}

/** `7 readers here voted for it`, `picked by Ada Lovelace: “Its ablation alone”` */
const endorsements = ({ readers, pick }: Endorsed): string[] => [
  ...(readers === undefined ? [] : [`${number.format(readers)}${NBSP}readers here voted for it`]),
  ...(pick === undefined
    ? []
    : [`${pick.pinned ? 'pinned' : 'picked'} by ${pick.by}${pick.note === null ? '' : `: “${pick.note}”`}`]),
]

const joinParts = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('; ')

const capitalised = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`

/** `you seem to like “masked diffusion” and papers by Ada Lovelace` */
const taste = ({ liked = [] }: Pick<DigestEntry, 'liked'>): string[] =>
  liked.length === 0 ? [] : [`you seem to like ${joinWords(liked)}`]

/** Topic and words, then rank, then the reader's taste, then readers and curator. */
const joinReason = (
  topic: string | null,
  matches: readonly InterestMatch[],
  rank: string,
  endorsed: Endorsed & Pick<DigestEntry, 'liked'> = {},
): string => {
  const found = joinParts([foundWords(matches), rank])
  const label = topic === null ? '' : labelOf(topic)
  const said = joinParts([...taste(endorsed), ...endorsements(endorsed)])
  const why = joinParts([found, label + found === '' ? capitalised(said) : said])
  return bindLastWords(label === '' || why === '' ? label + why : `${label}: ${why}`)
}

/** The last three words stay on one line, save those of a quoted note, which may be long. */
const bindLastWords = (text: string): string =>
  text.endsWith('”') ? text : text.replace(/ (\S+) (\S+)$/, `${NBSP}$1${NBSP}$2`)

/**
 * Why a paper is in a digest: `Diffusion language models: “masked diffusion” in the title, “denoising” in the abstract;
 * top 8% of the month`. Says only what the entry knows, and nothing that stands beside it: its upvotes, or its topic when
 * that is the heading it stands under (`underHeading`). Other beginnings are `Keyword: “sheet music” in the title` and
 * `By Yann LeCun`; of a paper that is there because it trends `2nd most upvoted of the 40 papers listed on Friday 17 April;
 * top 3% of the month`, and of a trending extra the rank alone, `Top 3% of the month’s papers`. Then comes what lifted it
 * for a reader with a taste, `you seem to like “small models”`. Votes and a pick of this site come last: `7 readers here
 * voted for it; picked by Ada Lovelace: “Read it for the ablation”`.
 */
export const digestReasonOf = (entry: DigestEntry, underHeading = false): string => {
  const { topic, matches, topPercent } = entry
  // On one line, whatever stands before it.
  const percent = topPercent === null ? '' : ['op', `${topPercent}%`, 'of', 'the', 'month'].join(NBSP)
  // Only the upper tenth are trending extras, whether or not there is enough history to give a rank.
  if (topic === null)
    return joinReason(null, [], percent === '' ? 'Among the most upvoted of its age' : `T${percent}’s papers`, entry)
  if (entry.dayRank !== undefined)
    return joinReason(null, [], trendingReason(entry.dayRank, percent && `t${percent}`), entry)
  if (underHeading && matches.length === 0) return joinReason(null, [], percent && `T${percent}`, entry)
  return joinReason(underHeading ? null : topic, matches, percent && `t${percent}`, entry)
}

/**
 * Why a paper is shown in short: its topic and the best words, `Robotics & embodied AI: “sim-to-real”`; or the title of
 * what it repeats, `Nearly the same as “KnowRL”, sent before`.
 */
export const compactReasonOf = ({ topic, matches: [best] }: DigestEntry, repeated?: string): string => {
  if (repeated !== undefined) return `Nearly the same as “${shortName(repeated)}”, sent before`
  const words = best === undefined ? '' : best.field === 'authors' ? `By ${best.words}` : `“${best.words}”`
  return [topic === null ? '' : labelOf(topic), words].filter((part) => part !== '').join(': ')
}

/**
 * Why a paper is in the list of a group: `Saved by 3 in Vision Lab; Robotics & embodied AI: “sim-to-real” in the title`; how
 * many saved it is said from two on. Of one that its reader was sent before, `Saved by 3 in Vision Lab; sent to you before`.
 */
export const groupReasonOf = (entry: DigestEntry): string => {
  const { name = '', savedBy = 0 } = entry.group ?? {}
  const saved = savedBy === 0 ? '' : `Saved${savedBy < 2 ? '' : ` by${NBSP}${number.format(savedBy)}`} in ${name}`
  const why = entry.topic === null ? '' : entry.again ? compactReasonOf(entry) : digestReasonOf(entry)
  const before = entry.again ? 'sent to you before' : ''
  const said = entry.again && saved !== '' ? [saved, before] : [saved, why, before]
  return capitalised(joinParts(said))
}

/** In which order the papers of a digest stand, one sentence; empty where there is nothing to order. */
export const orderLineOf = (issue: DigestIssue): string => {
  const { groups } = issue
  const own = matchesOf(issue)
  if (own.length < 2) return ''
  const isCounted = own.some(({ upvotes }) => upvotes !== null && upvotes > 0)
  const first = own.some(({ pinned }) => pinned) ? 'What a curator pinned comes first. ' : ''
  if (issue.onlyTrending) {
    // Where they stand by their upvotes that is said with their number.
    if (isMostUpvotedFirst(issue)) return ''
    const here = issue.endorsed ? ', and by votes and picks here' : ''
    const byTaste = issue.byTaste ? `${issue.endorsed ? ',' : ', and'} by what you seem to like` : ''
    if (isCounted) return `${first}Ranked by upvotes, each compared with papers of the same age${byTaste}${here}.`
    const others = [
      ...(issue.byTaste ? ['that you seem to like'] : []),
      ...(issue.endorsed ? ['picked or voted for here'] : []),
    ]
    return `${first}The newest papers come first${others.length === 0 ? '' : `, with those ${others.join(' or ')}`}.`
  }
  const ranked = groups.length > 0 ? 'Ranked within each topic' : 'Ranked'
  const by = [
    'how well each paper fits what you follow',
    ...(isCounted ? ['its upvotes'] : []),
    ...(issue.byTaste ? ['what you seem to like'] : []),
    ...(issue.endorsed ? ['votes and picks here'] : []),
  ]
  return `${first}${ranked} by ${by.length > 2 ? `${by.slice(0, -1).join(', by ')} and by ${by.at(-1)}` : by.join(' and by ')}.`
}

/** 1st, 2nd, 3rd, 4th, 11th, 21st. */
const ordinal = (rank: number): string => {
  const isTeen = rank % 100 >= 11 && rank % 100 <= 13
  return `${number.format(rank)}${isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][rank % 10] ?? 'th')}`
}

/** `2nd most upvoted of the 40 papers listed on Friday 17 April`; without counts `Listed on Friday 17 April`. */
const trendingReason = ({ listDay, rank, shared, counted, listed }: DayRank, percent: string): string => {
  const day = `listed ${onDays([listDay])}`
  if (rank === null) return bindLastWords(`L${day.slice(1)}`)
  const among = `of the ${number.format(counted)} papers${counted === listed ? '' : ' with counts'} ${day}`
  const place = rank === 1 ? 'most upvoted' : `${ordinal(rank)} most upvoted`
  const stands = shared ? `joint ${place}` : place
  return bindLastWords(capitalised(joinParts([`${stands} ${among}`, percent])))
}

export interface ListDayContext extends Endorsed {
  topic: string | null
  matches: readonly InterestMatch[]
  upvotes: number | null
  /** All upvote counts of the day that are known, this paper's among them. */
  counts: readonly number[]
  /** How many papers are listed that day. */
  total: number
}

const dayRank = ({ upvotes, counts, total }: ListDayContext): string => {
  if (upvotes === null || upvotes === 0 || counts.length < 2) return ''
  const rank = 1 + counts.filter((count) => count > upvotes).length
  const isShared = counts.filter((count) => count === upvotes).length > 1
  // Where some papers have no count the rank is among those that have.
  const isWhole = counts.length === total
  const of = number.format(counts.length)
  if (rank === 1 && !isShared) return `most upvoted of ${isWhole ? `the ${of} listed this day` : `${of} with counts`}`
  return `${isShared ? 'joint ' : ''}${ordinal(rank)} of ${of}${isWhole ? '' : ' with counts'}`
}

/**
 * Why a paper is on the page of its list day: `GUI, web & computer-use agents: “GUI agents” in the title; most upvoted
 * of the 26 listed this day`, else `2nd of 26`, `joint 5th of 26`; then votes and a pick of this site. Empty when nothing
 * is known.
 */
export const dayReasonOf = (context: ListDayContext): string =>
  joinReason(context.topic, context.matches, dayRank(context), context)
