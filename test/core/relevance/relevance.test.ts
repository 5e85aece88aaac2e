import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPhraseEvidence } from '../../../src/core/relevance/evidence.ts'
import { GATE } from '../../../src/core/relevance/gate.ts'
import { PHRASES_IN_BLEND } from '../../../src/core/relevance/model.ts'
import { readPaper } from '../../../src/core/relevance/reading.ts'
import { SHIPPED_MODEL, scoreTopics } from '../../../src/core/relevance/relevance.ts'
import { plainLatex } from '../../../src/core/text/latex.ts'
import { DEFAULT_TOPICS, isTopic } from '../../../src/core/topics.ts'

const { phrases, find } = createPhraseEvidence(DEFAULT_TOPICS.all)

const scoreFor = (topic: string, title: string, abstract = ''): number =>
  scoreTopics({ title, abstract }).find((one) => one.topic === topic)?.score ?? 0

const passing = (title: string, abstract = ''): string[] =>
  scoreTopics({ title, abstract })
    .filter(({ score }) => score >= GATE)
    .map(({ topic }) => topic)

/** Words that belong to no topic, to make a text as long as abstracts are. */
const filler = (words: number): string =>
  Array.from({ length: words }, (_, at) => ['and', 'then', 'it'][at % 3]).join(' ')

describe('the shipped model', () => {
  it('knows every phrase, and none that is no longer asked for', () => {
    expect(Object.keys(SHIPPED_MODEL.phrases.frequencies).sort()).toEqual([...phrases])
  })

  it('holds no phrase that matches fewer than three papers of its corpus', () => {
    const rare = Object.entries(SHIPPED_MODEL.phrases.frequencies).filter(([, frequency]) => frequency < 3)
    expect(rare).toEqual([])
  })

  it('never holds more of a topic’s phrases against a paper', () => {
    for (const weight of SHIPPED_MODEL.blend.shared.slice(...PHRASES_IN_BLEND)) expect(weight).toBeGreaterThanOrEqual(0)
  })
})

describe('scoring a paper', () => {
  it('lets a title alone pass', () => {
    expect(passing('A Survey of Masked Diffusion Language Models')).toContain('diffusion-lm')
    expect(passing('Sim-to-Real Transfer for Humanoid Robots')).toContain('robotics')
  })

  it('lets a one-line abstract pass under a title that says nothing', () => {
    expect(passing('Looking Twice', 'A vision-language-action model learns bimanual manipulation.')).toContain(
      'robotics',
    )
  })

  it('gives nothing to a paper about something else', () => {
    const [best] = scoreTopics({ title: 'Migration of storks', abstract: 'Where they go, and when they return.' })
    expect(best?.score ?? 0).toBeLessThan(GATE / 2)
    expect(scoreTopics({ title: '', abstract: '' })).toEqual([])
  })

  it('bears a paper of any shape, and passes none for words it does not know', () => {
    const odd = [
      { title: '🦜🦜', abstract: '🦜'.repeat(500) },
      { title: '拡散について', abstract: '新しい方法を提案する。'.repeat(40) },
      { title: '$$\\frac{a}{b}$$', abstract: '\\alpha_{1} $x^2$ {\\tau}'.repeat(30) },
      { title: 'Über Störche', abstract: 'Wohin sie ziehen und wann sie wiederkommen, bleibt ein Rätsel.' },
    ]
    for (const { title, abstract } of odd) expect(passing(title, abstract)).toEqual([])
    const [long] = scoreTopics({ title: 'Humanoid robots', abstract: 'a robot walks on '.repeat(3_000) })
    expect(long?.topic).toBe('robotics')
    expect(long?.score).toBeLessThanOrEqual(1)
  })

  it('does not let common words alone pass', () => {
    expect(passing('A Note', `We evaluate our model in experiments on a dataset with code. ${filler(150)}`)).toEqual([])
  })

  it('counts the title for more than the abstract, and strong phrases for more than weak ones', () => {
    const rest = filler(180)
    const inTitle = scoreFor('rag-retrieval', 'Dense Retrieval', rest)
    const inAbstract = scoreFor('rag-retrieval', 'A Study', `Dense retrieval ${rest}`)
    expect(inTitle).toBeGreaterThan(inAbstract)
    expect(scoreFor('reasoning', 'Latent Reasoning', rest)).toBeGreaterThan(scoreFor('reasoning', 'Reasoning', rest))
  })

  it('falls when the same mention stands in a longer abstract', () => {
    const scores = [40, 100, 200, 400].map((words) =>
      scoreFor('speech-audio', 'A Study', `On speech recognition ${filler(words)}`),
    )
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    expect(new Set(scores).size).toBe(4)
  })

  it('shows matches as a reader sees them, without LaTeX, the best first and at most three', () => {
    const [best] = scoreTopics({
      title: 'Training \\textbf{GUI} Agents that Click',
      abstract: 'GUI agents on OSWorld need GUI grounding. Web agents and mobile agents, too; {\\tau} is small.',
    })
    expect(best?.topic).toBe('gui-agents')
    expect(best?.matches[0]).toEqual({ words: 'GUI Agents', field: 'title', kind: 'phrase' })
    expect(best?.matches).toHaveLength(3)
  })

  it('does not show a phrase that is part of another one shown', () => {
    const wordsFor = (title: string, abstract: string): string[] | undefined =>
      scoreTopics({ title, abstract })
        .find((one) => one.topic === 'agents')
        ?.matches.map(({ words }) => words)
    expect(wordsFor('LLM Agents', 'Agents and their workflows')).toEqual(['LLM Agents', 'workflows'])
    // What stands in the title is shown as it stands there.
    expect(wordsFor('Agents at Work', 'LLM agents of a kind')?.[0]).toBe('Agents')
  })

  it('gives scores within 0 and 1, best first, for known topics, with words that stand in the text shown', () => {
    const phrase = fc.constantFrom(...phrases)
    const noise = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom('. ', ', ', ' $x$ ', '\\emph{', '}'),
    )
    const text = fc.array(fc.oneof(phrase, noise), { maxLength: 25 }).map((parts) => parts.join(' '))
    fc.assert(
      fc.property(text, text, (title, abstract) => {
        const scores = scoreTopics({ title, abstract })
        const shown = { title: plainLatex(title), abstract: plainLatex(abstract) }
        expect(scores).toEqual(scores.toSorted((a, b) => b.score - a.score))
        expect(new Set(scores.map(({ topic }) => topic)).size).toBe(scores.length)
        for (const { topic, score, matches } of scores) {
          expect(isTopic(topic)).toBe(true)
          expect(score).toBeGreaterThan(0)
          expect(score).toBeLessThanOrEqual(1)
          expect(matches.length).toBeGreaterThanOrEqual(1)
          expect(matches.length).toBeLessThanOrEqual(3)
          for (const { words, field } of matches) expect(shown[field].replace(/\s+/g, ' ')).toContain(words)
        }
      }),
    )
  })

  it('never falls when the title gains a phrase of the topic', () => {
    const phrase = fc.constantFrom(...phrases)
    fc.assert(
      fc.property(
        phrase,
        phrase,
        fc.constantFrom(...DEFAULT_TOPICS.all),
        fc.nat(200),
        (first, second, topic, words) => {
          const [strong = ''] = topic.strong
          const abstract = `${second} ${filler(words)}`
          expect(scoreFor(topic.slug, `${first}; ${strong}`, abstract)).toBeGreaterThanOrEqual(
            scoreFor(topic.slug, first, abstract),
          )
        },
      ),
    )
  })

  it('reads a phrase in the title once when it stands there once', () => {
    const reading = readPaper({ title: 'Speech Recognition', abstract: 'speech-recognition again' })
    expect(find(reading).find(({ phrase }) => phrase === 'speech recognition')).toEqual({
      phrase: 'speech recognition',
      title: 1,
      abstract: 1,
      words: 'Speech Recognition',
    })
    expect(reading.abstract.tokens).toHaveLength(3)
  })
})
