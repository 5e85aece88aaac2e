/** Baselines: simple methods that the model must beat, measured in the same run. */
import { createPhraseEvidence, type Evidence, type PhraseCounts } from '../../src/core/relevance/evidence.ts'
import { FIELDS, type Reading } from '../../src/core/relevance/reading.ts'
import { tokenise } from '../../src/core/text/phrases.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import type { Scores } from './relevance-study.ts'

const TITLE_WEIGHT = 3

const LABEL_WORDS = DEFAULT_TOPICS.all.map(({ label }) => new Set(tokenise(label).map(({ word }) => word)))
for (const words of LABEL_WORDS) words.delete('and')

/** How often the words of a topic's label stand in a paper, those of the title counting three times. */
export const scoreByLabels = (readings: readonly Reading[]): Scores =>
  readings.map((reading) =>
    LABEL_WORDS.map((words) =>
      FIELDS.reduce((sum, field) => {
        const found = reading[field].tokens.filter(({ word }) => words.has(word)).length
        return sum + (field === 'title' ? TITLE_WEIGHT : 1) * found
      }, 0),
    ),
  )

const { weigh } = createPhraseEvidence(DEFAULT_TOPICS.all)

const byTopic = (readings: readonly Reading[], counts: PhraseCounts, scoreOf: (evidence: Evidence) => number): Scores =>
  readings.map((reading) => {
    const scores = new Map(weigh(reading, counts).map((evidence) => [evidence.topic, scoreOf(evidence)]))
    return DEFAULT_TOPICS.all.map(({ slug }) => scores.get(slug) ?? 0)
  })

/** How many different strong phrases of a topic stand in a paper. */
export const scoreByCounts = (readings: readonly Reading[], counts: PhraseCounts): Scores =>
  byTopic(readings, counts, ({ parts }) => parts.filter(({ strong }) => strong).length)

/** BM25F over strong and weak phrases. */
export const scoreByPhrases = (readings: readonly Reading[], counts: PhraseCounts): Scores =>
  byTopic(readings, counts, ({ weight }) => weight)
