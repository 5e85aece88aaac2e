/** How telling phrases are, from judged papers. */
import { describe, expect, test } from 'vitest'
import { createPhraseEvidence } from '../../../src/core/relevance/evidence.ts'
import {
  countJudgedPhrases,
  estimatePrecisions,
  precisionOf,
  writeJudgedPhrases,
} from '../../../src/core/relevance/phrase-precision.ts'
import { readPaper } from '../../../src/core/relevance/reading.ts'
import { DEFAULT_TOPICS } from '../../../src/core/topics.ts'

const { find } = createPhraseEvidence(DEFAULT_TOPICS.all)

const judged = (title: string, abstract: string, grades: Record<string, number>) => ({
  phrases: find(readPaper({ title, abstract })),
  grades,
})

describe('the phrases of judged papers', () => {
  const counts = countJudgedPhrases([
    judged('A robotic manipulation', 'It walks on gaussian splatting.', { robotics: 2 }),
    judged('Robotic manipulations', 'They walk.', { robotics: 1 }),
    judged('On walking', 'Of a robotic manipulation.', { '3d-vision': 2 }),
  ])

  test('are counted by topic and field, a phrase of the title not in the abstract too', () => {
    expect(counts.robotics?.['robotic manipulation']).toEqual([2, 2, 1, 1, 0, 0])
    expect(counts['3d-vision']?.['gaussian splatting']).toEqual([0, 0, 0, 1, 0, 0])
    expect(JSON.parse(writeJudgedPhrases(counts))).toEqual(counts)
  })

  test('are the less certain, the fewer papers hold them: those of no paper are as good as their kind', () => {
    const known = estimatePrecisions(counts).get('robotics')
    const [held, other] = [known?.get('robotic manipulation'), known?.get('robot learning')]
    expect(held?.title.relevant).toBeGreaterThanOrEqual(other?.title.relevant ?? 1)
    expect(held?.abstract.relevant).toBeLessThanOrEqual(other?.abstract.relevant ?? 0)
  })

  test('are counted for every topic in the file that ships', () => {
    for (const { slug, strong } of DEFAULT_TOPICS.all)
      expect(
        strong.some(
          (phrase) => precisionOf(slug, phrase, 'title') !== null || precisionOf(slug, phrase, 'abstract') !== null,
        ),
        slug,
      ).toBe(true)
  })
})

describe('a phrase', () => {
  test('tells more of a topic in the title than in the abstract', () => {
    expect(precisionOf('robotics', 'robotic manipulation', 'title')?.relevant).toBeGreaterThan(0.8)
    expect(precisionOf('vlm', 'vlm', 'abstract')?.relevant).toBeLessThan(
      precisionOf('vlm', 'vlm', 'title')?.relevant ?? 0,
    )
  })

  test('makes no sense as a reason where most papers that hold it are of other topics', () => {
    expect(precisionOf('perception', 'detection', 'title')).toBeNull()
    expect(precisionOf('perception', 'segmentation', 'title')).not.toBeNull()
    expect(precisionOf('perception', 'segmentation', 'abstract')).toBeNull()
    expect(precisionOf('perception', 'no phrase of it', 'title')).toBeNull()
  })
})
