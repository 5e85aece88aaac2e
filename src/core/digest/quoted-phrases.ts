/** Which of the words found in a paper are said to readers as the reason for a topic, and which papers have none. */
import type { Match, TopicRelevance } from '../relevance/relevance.ts'
import { isReversed, plainPhrase } from '../text/phrases.ts'
import { topicBySlug } from '../topics.ts'
import type { Fit } from './ranking.ts'

/**
 * Hints that stand in abstracts of any subject: they count for a score, and as a reason they are nonsense ("“Click” in the
 * abstract"). Chosen by reading what 38 topics quoted of two months' papers, with the share of 4,931 judged papers that
 * hold the word and are of the topic (below a third for nine in ten of these).
 */
const COMMON = new Set(
  (
    'action, advantage, aligned, aligning, analysis, analytical, analyze, architectural, assess, backbone, behavioral, ' +
    'bias, block, body, budget, checkpoint, click, clip, code, cognitive, collect, column, communication, compress, ' +
    'computation, concept, consensus, context, conversational, cost, curriculum, data, depth, deployment, derive, ' +
    'diagnostic, discriminative, distribution, dream, dynamic, edit, efficient, efficiency, efficiently, emergent, ' +
    'encode, encoder, engineering, entropy, environment, evaluate, event, evidence, executable, execution, experience, ' +
    'experiment, expert, explain, exploit, exploration, explore, expression, face, faster, feature, figure, formal, ' +
    'future, gap, gate, generative, generator, github, guidance, hand, head, history, hour, human, hybrid, ' +
    'hypothesis, identity, industrial, interaction, interactive, internal, invariant, investigate, judge, knowledge, ' +
    'label, language, latent, layer, license, lightweight, localized, logical, loss, mask, material, measure, ' +
    'mechanism, narrative, native, network, node, novelty, object, online, optimal, optimize, overhead, parallel, ' +
    'passage, perplexity, persistent, person, personalization, phenomenon, physical, pipeline, pixel, platform, ' +
    'predict, prediction, preferred, principled, product, prompt, query, rank, recall, region, regression, ' +
    'relational, release, relevance, remember, research, return, reveal, rigorous, robust, role, rollout, sample, ' +
    'sampling, scaling, scenario, script, search, segment, sensitive, shot, similarity, simulate, skill, society, ' +
    'solution, sparse, spatial, statistical, structured, struggle, style, supervised, synthesis, synthesize, ' +
    'systematically, temporal, temporally, terminal, test, thought, token, trajectory, transfer, transparency, ' +
    'triplet, uncover, underlying, understand, urban, user, value, variance, verifiable, verification, verified, ' +
    'view, visualization, vocabulary, ablation, academic, activity, ad, page, reason, saturated, ' +
    'calibration, closed form, disentangled, disentanglement, geometric, hyperparameter, kernel, loss function, manifold, ' +
    'numerical, optimization, orthogonal, persona, base model, billion parameter, domain specific, fall short, fine grained, foundation model, from scratch, ' +
    'ground truth, high quality, human performance, in domain, large scale, long range, long term, model family, ' +
    'model size, multi step, performance gap, pre trained, publicly available, real time, real world, real world data, ' +
    'source code, state of the art model, step by step, systematic analysis, technical report'
  )
    .split(', ')
    .map(plainPhrase),
)
/** Some of them in a title are what the paper is about. */
const TELLING_IN_TITLES = new Set(
  (
    'code, data, disentanglement, efficient, human, interactive, language, physical, reason, search, technical report, ' +
    'terminal, token'
  )
    .split(', ')
    .map(plainPhrase),
)

interface TopicPhrases {
  strong: readonly string[]
  weak: readonly string[]
}

const phrasesByTopic = new Map<string, TopicPhrases>()
const phrasesOf = (topic: string): TopicPhrases | undefined => {
  const known = phrasesByTopic.get(topic)
  const found = topicBySlug(topic)
  if (known !== undefined || found === undefined) return known
  const phrases = { strong: found.strong.map(plainPhrase), weak: found.weak.map(plainPhrase) }
  phrasesByTopic.set(topic, phrases)
  return phrases
}

/** "Real-world model", where the phrase is "world model". */
const isReversedPhrase = (words: string, phrase: string): boolean => {
  const start = words.search(/(?<=^\p{L}+[-‐‑])/u)
  return start > 0 && plainPhrase(words.slice(start)).startsWith(phrase) && isReversed(words, start)
}

/** Whether a word is joined by hyphens to what is only written in names: capitals or digits, as in "UI-TARS" and "CT-1". */
const isPartOfName = (words: string, word: string): boolean =>
  words
    .split(/[-‐‑\s]/u)
    .some((part) => plainPhrase(part) !== word && /^\p{Lu}{2,}$|^\d+$/u.test(part) && words.length > part.length)

/**
 * How well words name the topic: 2 by a phrase of it that is strong or of several words, 1 by a single word in the title that
 * hints at it, 0 not at all. The words may be more than the phrase: of "diffusion-based" that is "diffusion". Of papers
 * that only a hint in the abstract spoke for a third were judged not relevant, and readers found most such reasons odd.
 */
const tellingOf = ({ words, field }: Match, { strong, weak }: TopicPhrases): 0 | 1 | 2 => {
  const plain = ` ${plainPhrase(words)} `
  const longest = [...strong, ...weak]
    .filter((phrase) => plain.includes(` ${phrase} `))
    .reduce((long, phrase) => (phrase.length > long.length ? phrase : long), '')
  if (longest === '' || isReversedPhrase(words, longest)) return 0
  if (COMMON.has(longest) && !(field === 'title' && TELLING_IN_TITLES.has(longest))) return 0
  if (longest.includes(' ')) return 2
  // A word within a name, as in "3D-VCD", does not speak of its subject.
  if (isPartOfName(words, longest)) return 0
  if (strong.includes(longest)) return 2
  return field === 'title' ? 1 : 0
}

const isWithin = (one: Match, other: Match): boolean => {
  const [part, whole] = [` ${plainPhrase(one.words)} `, ` ${plainPhrase(other.words)} `]
  return whole.includes(part) && part !== whole && (other.field === 'title' || one.field !== 'title')
}

/**
 * Of the matches of a topic those that are quoted, best first: its phrases, and a hint in the title, which readers have before
 * them, where none of its phrases stands there.
 */
const quotedOf = (topic: string, matches: readonly Match[]): Match[] => {
  const phrases = phrasesOf(topic)
  // Of a topic that is offered no longer nothing is known.
  if (phrases === undefined) return [...matches]
  const telling = matches.map((match) => tellingOf(match, phrases))
  const least = matches.some(({ field }, at) => field === 'title' && telling[at] === 2) ? 2 : 1
  const quoted = matches.filter((_, at) => (telling[at] ?? 0) >= least)
  // "Text-to-Video" says nothing beside "Text-to-Video Diffusion".
  return quoted.filter((one) => !quoted.some((other) => other !== one && isWithin(one, other)))
}

/**
 * The fits that can be explained to a researcher, with the words that are quoted. A paper that the model alone gives to a
 * topic, or common words, does not go by it. Scored by a model that had not seen them, 36 of 1,950 fits of April and May
 * 2026 had nothing to quote, and half of these were judged relevant, of the others 84 %.
 */
export const explainedFits = (relevance: readonly TopicRelevance[]): Fit[] =>
  relevance.flatMap(({ topic, score, matches }) => {
    const quoted = quotedOf(topic, matches)
    return quoted.length === 0 ? [] : [{ topic, score, matches: quoted.map(({ words, field }) => ({ words, field })) }]
  })
