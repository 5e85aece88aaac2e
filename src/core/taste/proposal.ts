/**
 * What is proposed to a reader from what they asked for more or less of: one setting that they would otherwise have to think
 * of themselves. Nothing is changed until they accept it.
 */
import { DAY } from '../calendar.ts'
import { keyOfAuthor, keyOfPhrase, MOST_OWN, readAuthors, readKeywords, readMuted } from '../subscriber/custom-terms.ts'
import type { Preferences } from '../subscriber/preferences.ts'
import { isTopic } from '../topics.ts'
import { kindOfTerm, type PaperTerm } from './paper-terms.ts'
import type { Press } from './taste.ts'

/** What can be proposed: a keyword, a topic or an author to follow, or words to mute. */
export type ProposalKind = 'keyword' | 'topic' | 'author' | 'muted'

/** A setting as it is proposed. */
export interface Proposed {
  kind: ProposalKind
  /** What would be added: a phrase, the slug of a topic, or a name. */
  value: string
  /** How a reader is shown it. */
  label: string
  /** Of how many papers they had said so. */
  presses: number
}

/** What was proposed before. */
export interface PastProposal {
  kind: ProposalKind
  value: string
  proposedAt: Date
  answer: 'accepted' | 'declined' | null
}

/** Presses of so many days count. */
const SPAN = 60 * DAY
/** So many papers must share what is proposed; what is muted is gone altogether, and takes one more. */
const LEAST = { more: 4, less: 5 }
/** Of five papers that share it at least four must have been asked for; of what would be muted all. */
const LEAST_PART = { more: 0.8, less: 1 }
/** A paper's pairs of words are looked at as far as they tell it from others. */
const MOST_PAIRS = 6
/** What had no answer is proposed again after so long. */
const AGAIN_AFTER = 60 * DAY
/** Between two proposals lies so much at least. */
const REST = 7 * DAY
/** Of what as many presses speak for: the rarest first. */
const ORDER: readonly ProposalKind[] = ['author', 'topic', 'keyword', 'muted']

/**
 * What of a paper can become a setting: its authors, its topics, and its most telling pairs of words. A word alone is too
 * broad to be a keyword that nobody thought of.
 */
const proposable = (terms: readonly PaperTerm[]): PaperTerm[] => {
  const pairs = terms.filter(({ term }) => kindOfTerm(term) === 'words' && term.includes(' ')).slice(0, MOST_PAIRS)
  return [...pairs, ...terms.filter(({ term }) => kindOfTerm(term) !== 'words')]
}

/** The setting that a shared term would become; `null` for none: only words are muted. */
const settingOf = ({ term, label }: PaperTerm, direction: Press['direction']): Omit<Proposed, 'presses'> | null => {
  const kind = kindOfTerm(term)
  if (kind === 'words') return { kind: direction === 'more' ? 'keyword' : 'muted', value: term, label }
  if (direction === 'less') return null
  return kind === 'topic' ? { kind, value: term.slice(term.indexOf(':') + 1), label } : { kind, value: label, label }
}

/**
 * Whether a setting can be added to what a reader has: it is `present` already, its list is `full`, it `cannot` be one
 * (a topic that is gone, words that are muted or wanted already), or it is `open`, with the preferences that would follow.
 */
export const tryProposal = (
  { kind, value }: Pick<Proposed, 'kind' | 'value'>,
  preferences: Preferences,
): { state: 'present' | 'full' | 'cannot' } | { state: 'open'; preferences: Preferences } => {
  const { topics, keywords, authors, muted } = preferences
  if (kind === 'topic') {
    if (topics.includes(value)) return { state: 'present' }
    return isTopic(value)
      ? { state: 'open', preferences: { ...preferences, topics: [...topics, value].sort() } }
      : { state: 'cannot' }
  }
  const field = LISTS[kind]
  const keyOf = kind === 'author' ? keyOfAuthor : keyOfPhrase
  const present = { keywords, authors, muted }[field]
  if (present.some((entry) => keyOf(entry) === keyOf(value))) return { state: 'present' }
  if (present.length >= MOST_OWN) return { state: 'full' }
  const added = READERS[kind]([...present, value], keywords)
  if (!Array.isArray(added)) return { state: 'cannot' }
  const isMuted = kind === 'keyword' && muted.some((entry) => keyOf(entry) === keyOf(value))
  return isMuted ? { state: 'cannot' } : { state: 'open', preferences: { ...preferences, [field]: added } }
}

const LISTS = { keyword: 'keywords', author: 'authors', muted: 'muted' } as const
const READERS = { keyword: readKeywords, author: readAuthors, muted: readMuted }

/** Preferences without a setting that was proposed and accepted. */
export const withoutProposal = (
  { kind, value }: Pick<Proposed, 'kind' | 'value'>,
  preferences: Preferences,
): Preferences => {
  if (kind === 'topic') return { ...preferences, topics: preferences.topics.filter((slug) => slug !== value) }
  const field = LISTS[kind]
  const keyOf = kind === 'author' ? keyOfAuthor : keyOfPhrase
  return { ...preferences, [field]: preferences[field].filter((entry) => keyOf(entry) !== keyOf(value)) }
}

/**
 * What is to be proposed at an instant; `null` for nothing. A setting is proposed when at least four papers that a reader
 * asked for more like in 60 days share it, and hardly any that they asked for less like does, or when five that they asked
 * for less like share words that none of the others has; when it can be added to what they chose; and when it was not
 * proposed in 60 days, and never answered. No two proposals lie within a week. `presses` are without terms that the reader took out.
 */
export const findProposal = (
  presses: readonly Press[],
  preferences: Preferences,
  past: readonly PastProposal[],
  now: Date,
): Proposed | null => {
  const since = (span: number) => now.getTime() - span
  if (past.some(({ proposedAt }) => proposedAt.getTime() > since(REST))) return null
  const counts = new Map<string, { term: PaperTerm; more: number; less: number }>()
  for (const { direction, at, terms } of presses) {
    if (at.getTime() <= since(SPAN)) continue
    for (const term of proposable(terms)) {
      const known = counts.get(term.term) ?? { term, more: 0, less: 0 }
      known[direction]++
      counts.set(term.term, known)
    }
  }
  const isSettled = ({ kind, value }: Omit<Proposed, 'presses'>): boolean =>
    past.some(
      (one) =>
        one.kind === kind &&
        one.value === value &&
        (one.answer !== null || one.proposedAt.getTime() > since(AGAIN_AFTER)),
    )
  const proposals = [...counts.values()].flatMap(({ term, ...count }) =>
    (['more', 'less'] as const).flatMap((direction) => {
      const said = count[direction]
      if (said < LEAST[direction] || said < LEAST_PART[direction] * (count.more + count.less)) return []
      const setting = settingOf(term, direction)
      if (setting === null || isSettled(setting) || tryProposal(setting, preferences).state !== 'open') return []
      return [{ ...setting, presses: said }]
    }),
  )
  const [best] = proposals.sort(
    (a, b) => b.presses - a.presses || ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || (a.value < b.value ? -1 : 1),
  )
  return best ?? null
}

const TIMES = ['once', 'twice', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve']

/** "five times"; "13 times". */
const timesInWords = (count: number): string =>
  count < 3 ? (TIMES[count - 1] ?? '') : `${TIMES[count - 1] ?? count} times`

type Spoken = Pick<Proposed, 'kind' | 'label' | 'presses'>

/** What a proposal comes from: `You asked for more about masked diffusion five times.` */
export const proposalReason = ({ kind, label, presses }: Spoken): string => {
  const asked = {
    keyword: `more about ${label}`,
    topic: `more on ${label}`,
    author: `more like papers by ${label}`,
    muted: `less about ${label}`,
  }[kind]
  return `You asked for ${asked} ${timesInWords(presses)}.`
}

const QUESTIONS: Record<ProposalKind, string> = {
  keyword: 'Add it as a keyword?',
  topic: 'Follow this topic?',
  author: 'Follow this author?',
  muted: 'Mute these words?',
}

/** What a digest says of a proposal: `You asked for more about masked diffusion five times. Add it as a keyword?` */
export const proposalLine = (proposal: Spoken): string => `${proposalReason(proposal)} ${QUESTIONS[proposal.kind]}`
