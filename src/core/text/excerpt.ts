/** Shows an abstract in short: the sentence that says what the paper does, and its result where there is room. */
import {
  contributionAmong,
  isAside,
  offeringPart,
  refersBack,
  resultScore,
  type TitledAbstract,
} from './contribution.ts'
import { speaksOfUnknown, unknownNames } from './known-names.ts'
import { dangles, presentsByName, withoutOpening } from './opening.ts'
import { createPhraseFinder, tokenise } from './phrases.ts'
import { needsMore, pointsBeyond, withoutPointing } from './pointing.ts'
import { type Sentence, sentencesOf } from './sentences.ts'
import { withShortForms } from './short-forms.ts'
import { cutAtClause, cutAtWord } from './text.ts'

/** The longest excerpt, in UTF-16 units. */
export const EXCERPT_LENGTH = 450
/** A contribution of fewer units says little: what follows it tells more than the result does. */
const SHORT_CONTRIBUTION = 90
/** One sentence of fewer units hardly says more than the title: what follows is begun, even where it has no room to end. */
const LITTLE = 200
/** A sentence with a keyword that is cut to fewer units says too little. */
const LEAST_AROUND = 160
/** Units kept before a keyword where its sentence is cut in front. */
const LEAD = 120

/** "Second, we …" tells of a first that is not shown. */
const ORDINAL = /^(?:second|third|fourth)(?:ly)?,/iu
/** One of several, of which the others are not shown. */
const isListed = (text: string): boolean =>
  /^(?:(?:the )?(?:first|second|third|fourth|other|latter)|\(?(?:\d|i+)\))\b/iu.test(text)

/** Sentences as they are shown: in the order of the abstract, with `…` where some were left out. */
const join = (abstract: string, [first, second]: readonly Sentence[], following: boolean): string => {
  if (first === undefined) return ''
  const { text: opening, isCut } = withoutPointing(withoutOpening(first.text))
  if (second === undefined) return opening
  if (following && !isCut && !ORDINAL.test(second.text))
    return opening + abstract.slice(first.end, second.start) + withoutPointing(second.text).text
  return `${opening} … ${withoutPointing(withoutOpening(second.text)).text}`
}

/** What is left after a clause that points back hangs on it: "a framework … through folding". */
const SEAM = / … (?:by|through|via|using) /u
/** "The approach, X, is tested": what approach, the sentence before says. */
const BY_ROLE =
  /^(?:the|our)(?: proposed)? (?:approach|method|technique|framework|system|pipeline), [^,]+, (?:is|was) (?:tested|evaluated|studied)\b/iu
const needsReferent = (text: string): boolean => {
  const shown = withoutPointing(text).text
  return BY_ROLE.test(shown) || refersBack(shown) || SEAM.test(shown) || presentsByName(text)
}

/** "We first fold …", of which no second is shown. */
const FIRST = /\b(we|paper) first (?=\p{Ll})/giu
const LATER = /\b(?:then|next|second(?:ly)?|third|finally|subsequently|afterwards?|before|followed|later)\b/iu
const withoutFirst = (text: string): string =>
  text.replace(FIRST, (whole: string, subject: string, at: number) =>
    LATER.test(text.slice(at + whole.length)) ? whole : `${subject} `,
  )

/** "Under such tearing": of which it spoke before. */
const SUCH = /\bsuch (?!as\b|an? [^.]* (?:as|that)\b)/iu
/** "Maps, sheets and the glue that holds these parts": what it points to is in the sentence itself. */
const NAMES_SEVERAL = /,[^,]+,? and\b.*\bthese\b/iu

/** Whether a sentence may stand after the contribution `first`: what it speaks of is named there, in the title or in the sentence itself. */
const standsAfter = (text: string, first: string, title: string, follows: boolean): boolean => {
  const shown = withoutPointing(follows ? text : withoutOpening(text)).text
  return !speaksOfUnknown(shown, `${title} ${first}`) && !needsMore(shown, first, title, follows)
}

/**
 * The contribution after the sentence that names what it refers back to, where both fit and that one stands by itself; and what follows, where
 * it fits too.
 */
const withReferent = (
  { title, abstract }: TitledAbstract,
  sentences: readonly Sentence[],
  at: number,
  most: number,
): string | null => {
  const [before, first] = [sentences[at - 1], sentences[at]]
  if (before === undefined || first === undefined || !needsReferent(first.text)) return null
  const opening = withoutOpening(before.text)
  if (
    dangles(opening) ||
    refersBack(opening) ||
    SUCH.test(opening) ||
    (pointsBeyond(opening, '') && !NAMES_SEVERAL.test(opening)) ||
    isListed(opening)
  )
    return null
  if (opening.endsWith('?')) return null
  // What points is kept: it is told now to what.
  const text = opening + abstract.slice(before.end, first.end)
  const next = sentences[at + 1]
  const goesOn = next !== undefined && !isAside(next.text) && standsAfter(next.text, text, title, true)
  const longer = goesOn ? text + abstract.slice(first.end, next.end) : text
  return [longer, text].find(({ length }) => length <= most) ?? null
}

/**
 * The sentence beside the contribution: its result, or what follows it; the first text that fits is taken. One with a name
 * that nothing introduced comes after the others, and one with two such names is not taken.
 */
const withSecond = (
  { title, abstract }: TitledAbstract,
  sentences: readonly Sentence[],
  at: number,
  most: number,
): string | null => {
  const first = sentences[at]
  if (first === undefined) return null
  const results = sentences
    .map(({ text }, place) => ({
      place,
      score: place > at ? resultScore(text, `${title} ${first.text}`, place === at + 1) : 0,
    }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.place - b.place)
    .map(({ place }) => place)
  const next = sentences[at + 1]
  const following = next === undefined || isAside(next.text) ? [] : [at + 1]
  const all =
    withoutPointing(first.text).text.length < SHORT_CONTRIBUTION
      ? [...following, ...results]
      : [...results, ...following]
  const inOrder = all.filter((place) => standsAfter(sentences[place]?.text ?? '', first.text, title, place === at + 1))
  const known = `${title} ${first.text}`
  const strange = (place: number): number => unknownNames(sentences[place]?.text ?? '', known).length
  const places = [
    ...inOrder.filter((place) => strange(place) === 0),
    ...inOrder.filter((place) => strange(place) === 1),
  ]
  for (const place of places) {
    const second = sentences[place]
    const text = second === undefined ? '' : join(abstract, [first, second], place === at + 1)
    if (text !== '' && text.length <= most) return text
  }
  return null
}

/**
 * What an abstract is shown by, at most `most` UTF-16 units: the sentence that says what the paper does, with its result or
 * else the sentence that follows it where both fit. A sentence that is too long is cut at a word and ends with `…`. An opening
 * that refers back ("However, we …") is dropped. Empty only where the abstract is.
 */
export const excerptOf = ({ title, abstract }: TitledAbstract, most: number = EXCERPT_LENGTH): string =>
  withShortForms(withoutFirst(chosenOf({ title, abstract }, most)), title, abstract, most)

const chosenOf = ({ title, abstract }: TitledAbstract, most: number): string => {
  const sentences = sentencesOf(abstract)
  const at = contributionAmong(sentences, title)
  const two =
    withReferent({ title, abstract }, sentences, at, most) ?? withSecond({ title, abstract }, sentences, at, most)
  if (two !== null) return two
  const one = join(abstract, sentences.slice(at, at + 1), false)
  const [first, next] = sentences.slice(at, at + 2)
  if (
    first !== undefined &&
    next !== undefined &&
    one.length < LITTLE &&
    !isAside(next.text) &&
    standsAfter(next.text.slice(0, most - one.length), first.text, title, true)
  )
    return cutAtClause(join(abstract, [first, next], true), most)
  return one.length <= most ? one : cutAtClause(one.startsWith('…') ? one : offeringPart(one), most)
}

/** Cut at words in front too, so that what stands at `start` to `end` is seen. */
const cutAround = (text: string, start: number, end: number, most: number): string => {
  if (text.length <= most || end < most - 1) return cutAtWord(text, most)
  const from = text.indexOf(' ', Math.max(0, start - LEAD))
  return `…${cutAtWord(text.slice(from < 0 || from > start ? start : from + 1), most - 1)}`
}

/**
 * The same for a reader who is shown the paper for some words of its abstract: the sentence that holds them, with what the
 * paper does where both fit. `null` where the abstract does not hold them.
 */
export const excerptAround = (
  { title, abstract }: TitledAbstract,
  words: string,
  most: number = EXCERPT_LENGTH,
): string | null => {
  const [found] = createPhraseFinder([words])(tokenise(abstract))
  if (found === undefined) return null
  const sentences = sentencesOf(abstract)
  const holds = sentences.findIndex(({ start, end }) => start <= found.start && found.start < end)
  const sentence = sentences[holds]
  if (sentence === undefined) return null
  const usual = excerptOf({ title, abstract }, most)
  if (createPhraseFinder([words])(tokenise(usual)).length > 0) return usual
  const at = contributionAmong(sentences, title)
  // In the order of the abstract, unless it would begin with what refers back.
  const [first, second] = holds < at && !dangles(withoutOpening(sentence.text)) ? [holds, at] : [at, holds]
  const both = join(
    abstract,
    [sentences[first], sentences[second]].filter((one) => one !== undefined),
    second === first + 1,
  )
  if (at !== holds && both.length <= most) return both
  const offer = join(abstract, sentences.slice(at, at + 1), false)
  const room = most - offer.length - 3
  const shown = withoutOpening(sentence.text)
  const dropped = sentence.text.length - shown.length
  const [start, end] = [found.start - sentence.start - dropped, found.end - sentence.start - dropped]
  // The words may stand in the opening itself.
  if (at !== holds && start >= 0 && room >= LEAST_AROUND)
    return `${offer} … ${cutAround(shown, start, end, room)}`.replace(' … …', ' …')
  return start < 0 ? cutAtWord(sentence.text, most) : cutAround(shown, start, end, most)
}
