/** Measures what libraries suggest: of papers that are squarely about one topic, how often that topic comes first. */
import { readLibrary } from '../../src/core/library/library.ts'
import { suggestByLibrary } from '../../src/core/library/library-suggestions.ts'
import type { RelevanceModel } from '../../src/core/relevance/model.ts'
import { createRandom } from '../../src/core/relevance/regression.ts'
import { createScorer } from '../../src/core/relevance/relevance.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import type { EvaluatedPaper } from './judged-papers.ts'
import { type Estimate, estimate, mean } from './metrics.ts'

/** Entries of a library. */
const ENTRIES = 40
/** Fewer papers of a topic make no library of it. */
const LEAST_ENTRIES = 10
const DRAWS = 10

export interface LibraryStudy {
  /** Topics of which there were libraries. */
  topics: number
  /** The share of the libraries whose topic came first, and was ticked, with intervals over the topics. */
  first: Estimate
  chosen: Estimate
  /** Topics whose libraries had another first, with the share that had it first. */
  misses: Record<string, number>
}

/** The text of a library, as a reference manager exports it: titles, and abstracts where they are asked for. */
export const bibOf = (papers: readonly EvaluatedPaper[], withAbstracts: boolean): string =>
  papers
    .map(({ title, abstract, listDay }, n) => {
      const plain = (text: string) => text.replace(/[{}\\]/g, '')
      const fields = [
        `title = {${plain(title)}}`,
        `year = {${listDay.slice(0, 4)}}`,
        ...(withAbstracts ? [`abstract = {${plain(abstract)}}`] : []),
      ]
      return `@article{paper${n},\n  ${fields.join(',\n  ')}\n}`
    })
    .join('\n')

const drawn = <T>(all: readonly T[], count: number, random: () => number): T[] => {
  const left = [...all]
  return Array.from(
    { length: Math.min(count, all.length) },
    () => left.splice(Math.floor(random() * left.length), 1)[0] as T,
  )
}

/**
 * Libraries of 40 papers of each topic, ten a topic; of a topic with fewer than 50 papers so many that each library leaves out
 * a fifth of them.
 */
export const studyLibraries = (
  papers: readonly EvaluatedPaper[],
  model: RelevanceModel,
  withAbstracts: boolean,
): LibraryStudy => {
  const random = createRandom(1)
  const scorer = createScorer(model, DEFAULT_TOPICS.all)
  const scored = new Map<string, ReturnType<typeof scorer>>()
  const score: typeof scorer = (paper) => {
    const known = scored.get(paper.title) ?? scorer(paper)
    scored.set(paper.title, known)
    return known
  }
  const judge = {
    topics: DEFAULT_TOPICS.all,
    score,
    vocabulary: model.vocabulary,
    measured: model.measured,
    judged: model.fittedOn.judged.length,
  }
  const byTopic = DEFAULT_TOPICS.all.flatMap(({ slug }) => {
    const own = papers.filter(({ grades }) => grades?.[slug] === 2)
    const entries = Math.min(ENTRIES, Math.floor(0.8 * own.length))
    if (entries < LEAST_ENTRIES) return []
    const libraries = Array.from({ length: DRAWS }, () =>
      suggestByLibrary(readLibrary(bibOf(drawn(own, entries, random), withAbstracts)), [], judge),
    )
    const first = mean(libraries.map(({ topics }) => Number(topics[0]?.slug === slug)))
    const chosen = mean(libraries.map(({ topics }) => Number(topics.some((one) => one.slug === slug && one.chosen))))
    return [{ slug, first, chosen }]
  })
  return {
    topics: byTopic.length,
    first: estimate(byTopic.map(({ first }) => first)),
    chosen: estimate(byTopic.map(({ chosen }) => chosen)),
    misses: Object.fromEntries(byTopic.flatMap(({ slug, first }) => (first < 1 ? [[slug, first]] : []))),
  }
}
