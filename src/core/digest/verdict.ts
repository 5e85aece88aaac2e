/** Why a paper came to a reader or did not, as one of a closed list of reasons, and each in words. */
import { GATE } from '../relevance/gate.ts'
import { topicLabel } from '../subscriber/followed.ts'
import { quoted } from '../text/text.ts'
import type { Fate } from './choice.ts'
import { longDate, shortName } from './headline.ts'
import { kindOfInterest } from './interests.ts'
import { FEW_UPVOTES, LEAST_UNVOTED } from './ranking.ts'

/** Another paper that a reason names. */
export interface NamedPaper {
  id: string
  title: string
}

/** What became of the mail with a digest. */
export type Arrival = 'sent' | 'on its way' | 'not delivered'

/** What a choice makes of a paper that it leaves out; the other paper with its title. */
type LeftOut =
  | { kind: 'folded' | 'twin' | 'same-title'; other: NamedPaper }
  | { kind: 'muted'; words: string[] }
  | Extract<Fate, { kind: 'off-topic' | 'unvoted' | 'below' }>

/** Dates are `YYYY-MM-DD`. */
export type Verdict =
  /** `reads`: where papers come from, as readers are told it. */
  | { kind: 'unseen'; reads: readonly string[] }
  | { kind: 'hidden' | 'withdrawn'; on: string }
  /** It was in a digest: by itself, or named beside another. */
  | {
      kind: 'sent'
      on: string
      arrival: Arrival
      as: 'paper' | 'folded' | 'twin'
      other: NamedPaper | null
      /** The group whose list brought it; `null` where none did. */
      group: string | null
    }
  /** It counts as sent, by a digest of which nothing else is kept. */
  | { kind: 'remembered' }
  /** It is left for its list day has come in only in part. */
  | { kind: 'partial'; listDay: string }
  | { kind: 'paused'; until: string }
  /** Its news was over before the first digest. */
  | { kind: 'before'; listDay: string; first: string }
  /** No digest was made while it was news: between these dates, each `null` where there is none. */
  | { kind: 'no-digest'; listDay: string; after: string | null; until: string | null }
  /** It was first seen on `seen`, long after its list day. */
  | { kind: 'late'; listDay: string; seen: string }
  /** It is one of `of` papers, fewer than the `least` that a digest was asked to have. */
  | { kind: 'waits'; of: number; least: number }
  | { kind: 'next'; place: number; of: number; extra: boolean }
  /** By what is known now it would have been in a digest that it was not in. */
  | { kind: 'changed'; on: string }
  /** Left out by the digest of `on`, or by the next as of now (`null`). `exact`: whether the same choice made that digest. */
  | (LeftOut & { on: string | null; exact: boolean })

const percent = (share: number): string => `${Math.round(100 * share)}%`
const score = (value: number): string => value.toFixed(2)
const named = ({ title }: NamedPaper): string => `“${shortName(title)}”`

/** "A", "A and B", "A, B and C" */
const joined = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`

/** What a reader follows, in a sentence: `Robotics & embodied AI`, `the keyword “sheet music”`, `Ada Lovelace`. */
const interestInWords = (interest: string): string => {
  const kind = kindOfInterest(interest)
  const term = interest.slice(interest.indexOf(':') + 1)
  if (kind === 'keyword') return `your keyword ${quoted(term)}`
  return kind === 'author' ? 'an author you follow' : topicLabel(interest)
}

const ARRIVALS: Record<Arrival, string> = {
  sent: '',
  'on its way': ' That email is on its way.',
  'not delivered': ' That email was not delivered.',
}

const sentInWords = ({ on, arrival, as, other, group }: Extract<Verdict, { kind: 'sent' }>): string => {
  const where = `your digest of ${longDate(on)}`
  const how =
    as === 'paper' || other === null
      ? `It was in ${where}${group === null ? '' : `, by the list of your group ${quoted(group)}`}.`
      : as === 'folded'
        ? `It was named in ${where} under ${named(other)}, which says nearly the same.`
        : `It was named in ${where} as nearly the same as ${named(other)}, which you were sent before.`
  return how + ARRIVALS[arrival]
}

const belowInWords = (verdict: Extract<Verdict, { kind: 'below' }>): string => {
  const { topic, place, ranked, most, score: own, last } = verdict
  const stands = `It fits ${interestInWords(topic)}, at place ${place} of ${ranked}, and there was room for ${most}.`
  const scores = `It scored ${score(own)}, and the last that came ${score(last)}`
  return own > last
    ? `${stands} ${scores}: the best paper of each topic has a place, and of those that only trend not too many share a subject.`
    : `${stands} ${scores}.`
}

/** The reason, in one to three sentences. */
export const verdictInWords = (verdict: Verdict): string => {
  switch (verdict.kind) {
    case 'unseen':
      return `We have not seen this paper. Papers come from ${joined(verdict.reads)} alone; one that is listed there later can still come.`
    case 'hidden':
      return `It was taken off this site on ${longDate(verdict.on)}, so no digest has it.`
    case 'withdrawn':
      return `It is withdrawn, as we saw on ${longDate(verdict.on)}. No digest has it since.`
    case 'sent':
      return sentInWords(verdict)
    case 'remembered':
      return 'You were sent it before, and no paper comes twice.'
    case 'partial':
      return `The list of ${longDate(verdict.listDay)} has come in only in part. Its papers wait for the rest.`
    case 'paused':
      return `It came in while your digests were paused. They start again on ${longDate(verdict.until)}, with the best papers from up to two weeks back.`
    case 'before':
      return `It was listed on ${longDate(verdict.listDay)}, and was no longer new when your first digest came on ${longDate(verdict.first)}.`
    case 'no-digest':
      return noDigestInWords(verdict)
    case 'late':
      return `It was listed on ${longDate(verdict.listDay)}, and we first saw it on ${longDate(verdict.seen)}, when it was no longer new.`
    case 'next':
      return verdict.extra
        ? 'It will be in your next digest, as things are now, as a trending paper from outside your topics.'
        : `It will be in your next digest, as things are now, at place ${verdict.place} of ${verdict.of}.`
    case 'waits':
      return `It waits for a later digest: with it there ${verdict.of === 1 ? 'was 1 paper' : `were ${verdict.of} papers`}, fewer than the ${verdict.least} you asked for.`
    case 'changed':
      return `By your settings as they are now it would have been in your digest of ${longDate(verdict.on)}. It was not, so your settings or what we knew of the paper were different then.`
    case 'muted':
      return `It has ${verdict.words.map(quoted).join(' and ')}, which you muted.`
    case 'off-topic':
      return 'It does not fit anything you follow well enough.'
    case 'unvoted':
      return `It touches ${interestInWords(verdict.topic)}, but is only ${percent(verdict.squarely)} likely to be squarely about it. With ${FEW_UPVOTES} upvotes or fewer a paper needs ${percent(LEAST_UNVOTED)}, and this one had ${verdict.upvotes}.`
    case 'same-title':
      return `${named(verdict.other)} is listed as well, under the same title, and a digest shows a title once.`
    case 'folded':
      return `It says nearly the same as ${named(verdict.other)}, and is named under it.`
    case 'twin':
      return `It says nearly the same as ${named(verdict.other)}, which you were sent before.`
    case 'below':
      return belowInWords(verdict)
  }
}

const noDigestInWords = ({ listDay, after, until }: Extract<Verdict, { kind: 'no-digest' }>): string => {
  const between = [
    ...(after === null ? [] : [`after ${longDate(after)}`]),
    ...(until === null ? [] : [`before ${longDate(until)}`]),
  ].join(' and ')
  return `It was listed on ${longDate(listDay)}, and no digest was made for you while it was new${between === '' ? '' : `: none ${between}`}.`
}

/** Which digest it was that decided, a sentence; `null` where the reason says so itself. */
export const decidedWhen = (verdict: Verdict): string | null => {
  if (!('exact' in verdict)) return null
  if (verdict.on === null) return 'This is for your next digest, as of now.'
  return verdict.exact
    ? `This decided for your digest of ${longDate(verdict.on)}.`
    : `This is for your digest of ${longDate(verdict.on)}, by what is stored now: your settings, or what we know of the papers, have changed since.`
}

/** How well a paper fits a topic, for a table: `0.62`, and what is said beside it. */
export interface NearTopic {
  topic: string
  label: string
  score: number
  followed: boolean
  /** Whether it is enough to bring the paper. */
  enough: boolean
}

/** Why the score of a topic was enough or not, a few words. */
export const nearTopicNote = ({ score: value, enough, followed }: NearTopic): string => {
  if (enough) return followed ? 'enough' : 'enough, but you don’t follow it'
  return value >= GATE ? 'touched on, not its subject' : 'too low'
}
