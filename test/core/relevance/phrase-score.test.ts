/** Topics that the model was not trained for: found by their phrases, beside those that it knows. */
import { describe, expect, it } from 'vitest'
import { GATE } from '../../../src/core/relevance/gate.ts'
import { createScorer, SHIPPED_MODEL, scoreTopics } from '../../../src/core/relevance/relevance.ts'
import { topicsByScoring } from '../../../src/core/relevance/topics-by-scoring.ts'
import { DEFAULT_TOPICS } from '../../../src/core/topics.ts'

const EDITING = {
  slug: 'gene-editing',
  strong: ['gene editing', 'crispr', 'base editing'],
  weak: ['knockout', 'nuclease'],
}
const withEditing = createScorer(SHIPPED_MODEL, [...DEFAULT_TOPICS.all, EDITING])

const about = {
  title: 'Base editing without a nuclease',
  abstract: 'Gene editing by CRISPR cuts. We show base editing that makes a knockout without a cut.',
}
const ROBOTS = {
  title: 'Humanoid robots learn locomotion',
  abstract: 'We present a robot policy for dexterous manipulation with sim-to-real transfer of robot learning.',
}
const scoreOf = (slug: string, score: ReturnType<typeof createScorer>, paper = about) =>
  score(paper).find(({ topic }) => topic === slug)

describe('a topic that the model does not know', () => {
  it('is found by its phrases, which are shown as the paper has them', () => {
    const found = scoreOf('gene-editing', withEditing)
    expect(found?.score).toBeGreaterThan(0.9)
    expect(found?.matches).toEqual([
      { words: 'Base editing', field: 'title', kind: 'phrase' },
      { words: 'CRISPR', field: 'abstract', kind: 'phrase' },
      { words: 'Gene editing', field: 'abstract', kind: 'phrase' },
    ])
  })

  it('takes more than one phrase in an abstract, and a title alone can do', () => {
    const touched = { title: 'On cells', abstract: 'Cells were made by CRISPR and then watched for a week.' }
    expect(scoreOf('gene-editing', withEditing, touched)?.score).toBeLessThan(GATE)
    expect(scoreOf('gene-editing', withEditing, { title: about.title, abstract: '' })?.score).toBeGreaterThan(GATE)
    expect(scoreOf('gene-editing', withEditing, { title: 'On cells', abstract: 'Cells grow.' })).toBeUndefined()
  })

  it('changes nothing of those that it knows, to the last digit', () => {
    for (const paper of [about, ROBOTS])
      expect(withEditing(paper).filter(({ topic }) => topic !== 'gene-editing')).toEqual(scoreTopics(paper))
  })
})

describe('a topic that the model knows', () => {
  const robotics = DEFAULT_TOPICS.bySlug('robotics')
  if (robotics === undefined) throw new Error('there is no such topic')

  it('keeps it with a few phrases changed, and loses it where the slug has come to mean something else', () => {
    const changed = { ...robotics, strong: [...robotics.strong, 'pick and place'] }
    const other = { ...robotics, strong: ['pipetting robot', 'lab automation'], weak: [] }
    expect(topicsByScoring(SHIPPED_MODEL, [changed])).toEqual({ byModel: [changed], byPhrases: [] })
    expect(topicsByScoring(SHIPPED_MODEL, [other])).toEqual({ byModel: [], byPhrases: [other] })
    const byOther = createScorer(SHIPPED_MODEL, [other])
    expect(scoreOf('robotics', byOther, ROBOTS)).toBeUndefined()
    expect(scoreOf('robotics', createScorer(SHIPPED_MODEL, [changed]), ROBOTS)?.score).toBeGreaterThan(GATE)
  })

  it('has the same score when the others are gone', () => {
    const alone = createScorer(SHIPPED_MODEL, [robotics])
    expect(alone(ROBOTS)).toEqual(scoreTopics(ROBOTS).filter(({ topic }) => topic === 'robotics'))
  })
})
