/** What of a paper is quoted to readers as the reason for a topic, and how squarely the paper is about it. */
import { type Precision, precisionOf } from '../relevance/phrase-precision.ts'
import { sigmoid } from '../relevance/regression.ts'
import type { Match, TopicRelevance } from '../relevance/relevance.ts'
import { isReversed, plainPhrase } from '../text/phrases.ts'
import { topicBySlug } from '../topics.ts'
import type { Fit } from './ranking.ts'

/**
 * How likely a paper with the words quoted is relevant, at least, if these were independent. Scored by a model that had
 * not seen them, of 1,907 pairs of paper and topic in April and May 2026 that pass the gate 242 have less: 27 % of these are
 * squarely about the topic, and 63 % of the others.
 */
const EXPLAINED_FROM = 0.6

/**
 * How squarely a paper is about a topic: logistic regression on the log odds of its score and on the precision of the most
 * telling phrase in its title, fitted to those 1,665 others.
 */
const SQUARELY = { offset: -1.96, score: 0.59, title: 0.95 }
/**
 * Below this a paper does not go by the topic. Scored by a model that had not seen them, of 1,679 pairs in April and May 2026
 * 386 lie below: 19 % of these are squarely about the topic, and 74 % of those above. At 0.45 the digests of simulated
 * subscribers are as relevant within a point (96.7 % for 96.1 %), and two in a hundred more of their topics go without.
 */
const SQUARELY_FROM = 0.3
/**
 * The same for a topic whose words stand in many papers that only use its methods: of 216 judged relevant to theory 31 % are squarely
 * about it, and 62 % of all topics. No paper is better than a wrong one.
 */
const SQUARELY_FROM_OF: ReadonlyMap<string, number> = new Map([['theory-optimization', 0.6]])

const phrasesByTopic = new Map<string, readonly string[]>()
const phrasesOf = (topic: string): readonly string[] | undefined => {
  const known = phrasesByTopic.get(topic)
  const found = topicBySlug(topic)
  if (known !== undefined || found === undefined) return known
  const phrases = [...found.strong, ...found.weak].map(plainPhrase)
  phrasesByTopic.set(topic, phrases)
  return phrases
}

/** "Real-world model", where the phrase is "world model". */
const isReversedPhrase = (words: string, phrase: string): boolean => {
  const start = words.search(/(?<=^\p{L}+[-‐‑])/u)
  return start > 0 && plainPhrase(words.slice(start)).startsWith(phrase) && isReversed(words, start)
}

/**
 * Whether a word is joined by hyphens to what is only written in names: capitals or digits, as in "UI-TARS", "UniDoc-RL" and
 * "Qwen3.5-Omni", and in an abstract a capital letter, as in "LMM-Searcher".
 */
const isPartOfName = ({ words, field }: Match, word: string): boolean =>
  words
    .split(/[-‐‑\s]/u)
    .some(
      (part) =>
        plainPhrase(part) !== word &&
        words.length > part.length &&
        (/^\p{Lu}{2,}$|\d|\p{Ll}\p{Lu}/u.test(part) || (field === 'abstract' && /^\p{Lu}/u.test(part))),
    )

/**
 * Whether a phrase only qualifies what a paper is about, as in "Retrieval-Oriented Segmentation" and "a cache-aware loss": 3 of 11 papers with
 * such words as their reason were squarely about the topic.
 */
const isQualifier = ({ words }: Match, phrase: string): boolean => {
  const [, last = ''] = /[-‐‑](\p{L}+)$/u.exec(words) ?? []
  return QUALIFYING.test(last) && !` ${phrase}`.endsWith(` ${last.toLowerCase()}`)
}
const QUALIFYING =
  /^(?:oriented|intensive|driven|aware|guided|inspired|like|free|agnostic|centric|native|enhanced|consistent|induced|grounded|assisted|conditioned|informed|constrained|time)$/iu

/**
 * How telling quoted words are: the precision of the longest phrase of the topic that they hold, which may be shorter than
 * they are ("diffusion" of "diffusion-based"). `null` where they are not to be quoted.
 */
const tellingOf = (topic: string, match: Match, phrases: readonly string[]): Precision | null => {
  const { words, field } = match
  const plain = ` ${plainPhrase(words)} `
  const longest = phrases
    .filter((phrase) => plain.includes(` ${phrase} `))
    .reduce((long, phrase) => (phrase.length > long.length ? phrase : long), '')
  if (longest === '' || isReversedPhrase(words, longest) || isQualifier(match, longest)) return null
  // A word within a name, as in "3D-VCD", does not speak of its subject.
  if (!longest.includes(' ') && isPartOfName(match, longest)) return null
  return precisionOf(topic, longest, field)
}

/**
 * Phrases of topics that name a benchmark, a data set or a model. A paper that runs on one may be about anything: by itself none
 * is a reason, and beside others it comes last.
 */
const NAMES: ReadonlySet<string> = new Set(
  (
    'deepseek-r1 aime gpqa math500 arc-agi swe-bench livecodebench humaneval terminal-bench osworld androidworld webarena screenspot ' +
    'longbench locomo minif2f nuscenes waymo navsim libero dinov2 dinov3 dino clip siglip llada alphaevolve xgboost minecraft vbench ' +
    'flux pi0 segment-anything vggt imagenet'
  )
    .split(' ')
    .map(plainPhrase),
)

const isName = (topic: string, { words }: Match): boolean =>
  NAMES.has(plainPhrase(words)) && (phrasesOf(topic)?.includes(plainPhrase(words)) ?? false)

const isWithin = (one: Match, other: Match): boolean => {
  const [part, whole] = [` ${plainPhrase(one.words)} `, ` ${plainPhrase(other.words)} `]
  return whole.includes(part) && part !== whole && (other.field === 'title' || one.field !== 'title')
}

/** How likely at least one of some independent signs holds. */
const anyOf = (shares: readonly number[]): number => 1 - shares.reduce((none, share) => none * (1 - share), 1)

const MOST_CERTAIN = 0.999
const logOdds = (share: number): number => {
  const kept = Math.min(MOST_CERTAIN, Math.max(1 - MOST_CERTAIN, share))
  return Math.log(kept / (1 - kept))
}

/** The fit of a paper to a topic with the words that are quoted; `null` where it does not go by the topic. */
const explain = ({ topic, score, matches }: TopicRelevance): Fit | null => {
  const phrases = phrasesOf(topic)
  const shown = (quoted: readonly Match[]) => quoted.map(({ words, field }) => ({ words, field }))
  // Of a topic that is offered no longer nothing is known.
  if (phrases === undefined) return { topic, score, matches: shown(matches) }
  const telling = matches.flatMap((match) => {
    const precision = tellingOf(topic, match, phrases)
    return precision === null ? [] : [{ match, precision }]
  })
  const naming = telling.filter(({ match }) => isName(topic, match))
  if (naming.length === telling.length || anyOf(telling.map(({ precision }) => precision.relevant)) < EXPLAINED_FROM)
    return null
  const inTitle = telling.filter(({ match }) => match.field === 'title').map(({ precision }) => precision.squarely)
  const squarely = sigmoid(SQUARELY.offset + SQUARELY.score * logOdds(score) + SQUARELY.title * Math.max(0, ...inTitle))
  if (squarely < (SQUARELY_FROM_OF.get(topic) ?? SQUARELY_FROM)) return null
  const quoted = [...telling.filter((one) => !naming.includes(one)), ...naming].map(({ match }) => match)
  // "Text-to-Video" says nothing beside "Text-to-Video Diffusion".
  const distinct = quoted.filter((one) => !quoted.some((other) => other !== one && isWithin(one, other)))
  return { topic, score, squarely, matches: shown(distinct) }
}

/**
 * The fits that can be explained to a researcher, with the words that are quoted and how squarely the paper is about the
 * topic. A paper that the model alone gives to a topic, or common words, does not go by it, nor one that only touches it.
 */
export const explainedFits = (relevance: readonly TopicRelevance[]): Fit[] =>
  relevance.flatMap((one) => explain(one) ?? [])
