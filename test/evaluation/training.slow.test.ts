import { describe, expect, it } from 'vitest'
import { GATE } from '../../src/core/relevance/gate.ts'
import { MODEL_VERSION, readModel, UnusableModel, writeModel } from '../../src/core/relevance/model-format.ts'
import { createRandom } from '../../src/core/relevance/regression.ts'
import { createScorer, SHIPPED_MODEL } from '../../src/core/relevance/relevance.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import type { TrainingPaper } from './corpus.ts'
import { type JudgedPaper, trainModel, UntrainableCorpus } from './training.ts'

const random = createRandom(11)
const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
const FILLER =
  'we find that larger models on many tasks improve their accuracy by some points in our experiments'.split(' ')
/** Words that no phrase names, and that go with robotics all the same. */
const COMPANIONS = 'zylophane, quonset, brimble, tarnash, velloc, ostrane, mirdle'

/** A paper about one topic in a few words; those on robotics have the companions in them, and half of them no phrase. */
const write = (topic: (typeof DEFAULT_TOPICS.all)[number], number: number): TrainingPaper => {
  const words = Array.from({ length: 20 }, () => pick(FILLER)).join(' ')
  const companions = topic.slug === 'robotics' ? ` With ${COMPANIONS}.` : ''
  const isNamed = companions === '' || random() < 0.5
  return {
    title: isNamed ? `A study of ${pick(topic.strong)}` : 'A study',
    abstract: `${isNamed ? `On ${pick(topic.strong)} and ${pick(topic.weak)}, ` : ''}${words}.${companions}`,
    listDay: `2026-03-${String(1 + (number % 28)).padStart(2, '0')}`,
  }
}

const corpus = (count: number): TrainingPaper[] =>
  Array.from({ length: count }, (_, number) =>
    write(DEFAULT_TOPICS.all[number % DEFAULT_TOPICS.all.length] ?? pick(DEFAULT_TOPICS.all), number),
  )

const judge = (count: number): JudgedPaper[] =>
  Array.from({ length: count }, (_, number) => {
    const topic = DEFAULT_TOPICS.all[number % DEFAULT_TOPICS.all.length] ?? pick(DEFAULT_TOPICS.all)
    return {
      ...write(topic, number),
      listDay: `2026-04-${String(1 + (number % 28)).padStart(2, '0')}`,
      id: `2604.${String(number).padStart(5, '0')}`,
      grades: { [topic.slug]: 2 },
    }
  })

/** Papers that touch a topic, and have a word of their own. */
const ASIDE = 'plindor'
const touch = (slug: string, count: number): JudgedPaper[] =>
  Array.from({ length: count }, (_, number) => {
    const paper = write(DEFAULT_TOPICS.all.find((topic) => topic.slug === slug) ?? pick(DEFAULT_TOPICS.all), number)
    const abstract = `${paper.abstract} An ${ASIDE} aside.`
    return {
      ...paper,
      abstract,
      listDay: paper.listDay ?? '',
      id: `2603.${String(number).padStart(5, '0')}`,
      grades: { [slug]: 1 },
    }
  })

const papers = corpus(1_520)
const judged = [...judge(760), ...touch('speech-audio', 40)]
const model = trainModel({ papers, by: { judged } })

const scoreFor = (topic: string, abstract: string, by = model): number =>
  createScorer(by)({ title: 'On it', abstract }).find((one) => one.topic === topic)?.score ?? 0

const filler = FILLER.join(' ')

describe('training', () => {
  it('learns from phrases, and from words that go with them though no phrase names them', () => {
    const [best] = createScorer(model)(
      write(DEFAULT_TOPICS.all.find(({ slug }) => slug === 'speech-audio') ?? pick(DEFAULT_TOPICS.all), 1),
    )
    expect(best?.topic).toBe('speech-audio')
    expect(best?.score).toBeGreaterThan(GATE)
    expect(scoreFor('robotics', `${filler} ${COMPANIONS}`)).toBeGreaterThan(2 * scoreFor('robotics', filler))
  })

  it('puts a paper that is squarely about a topic before one that touches it', () => {
    const speech = (more: string): number => {
      const paper = { title: 'Speech recognition', abstract: `On speech recognition, ${filler}.${more}` }
      return createScorer(model)(paper).find(({ topic }) => topic === 'speech-audio')?.score ?? 0
    }
    expect(speech(` An ${ASIDE} aside.`)).toBeGreaterThan(GATE)
    expect(speech(` An ${ASIDE} aside.`)).toBeLessThan(speech(''))
  })

  it('shows the word that brought a paper in when no phrase did', () => {
    const [best] = createScorer(model)({ title: 'On it', abstract: `${filler} ${COMPANIONS}.` })
    expect(best?.topic).toBe('robotics')
    expect(best?.matches).toHaveLength(3)
    for (const { words, kind } of best?.matches ?? []) {
      expect(COMPANIONS).toContain(words)
      expect(kind).toBe('term')
    }
  })

  it('gives the same model for the same papers, and says what it was fitted on', () => {
    expect(writeModel(trainModel({ papers, by: { judged } }))).toBe(writeModel(model))
    expect(model.fittedOn).toMatchObject({ papers: 1_520, days: ['2026-03-01', '2026-03-28'] })
    expect(model.fittedOn.judged).toHaveLength(800)
  })

  it('needs no judgements where an older model gives the likely relevance', () => {
    const shares: number[] = []
    const taught = trainModel({ papers, by: { teacher: model }, onProgress: (share) => shares.push(share) })
    expect(taught.blend).toEqual(model.blend)
    expect(scoreFor('robotics', `${filler} ${COMPANIONS}`, taught)).toBeGreaterThan(
      scoreFor('robotics', filler, taught),
    )
    expect(shares).toEqual(shares.toSorted((a, b) => a - b))
    expect(shares.at(-1)).toBe(1)
  })

  it('refuses too few papers, too few judgements, and papers without abstracts', () => {
    const few = () => trainModel({ papers: papers.slice(0, 1_499), by: { judged } })
    expect(few).toThrow(UntrainableCorpus)
    expect(few).toThrow('1499 papers are too few to train on: it takes 1500')
    expect(() => trainModel({ papers, by: { judged: judged.slice(0, 299) } })).toThrow('299 judged papers are too few')
    const titles = papers.map((paper) => ({ ...paper, abstract: '' }))
    expect(() => trainModel({ papers: titles, by: { judged } })).toThrow('None of the papers has an abstract')
  })

  it('accepts topics without a judged paper, and papers of any shape', () => {
    const odd: TrainingPaper[] = [
      { title: '∇', abstract: '$$\\frac{a}{b}$$ \\alpha {', listDay: null },
      { title: '🦜', abstract: '🦜'.repeat(500), listDay: null },
      { title: '論文', abstract: '新しい方法を提案する。', listDay: null },
      { title: 'x', abstract: 'robot '.repeat(8_000), listDay: null },
    ]
    const onlyRobots = judged.map((paper) => ({ ...paper, grades: paper.grades.robotics ? paper.grades : {} }))
    const trained = trainModel({ papers: [...papers, ...odd], by: { judged: onlyRobots } })
    for (const paper of odd)
      for (const { score } of createScorer(trained)(paper)) expect(Number.isFinite(score)).toBe(true)
  })
})

describe('training for topics of one’s own', () => {
  const own = [
    { slug: 'robotics', strong: DEFAULT_TOPICS.bySlug('robotics')?.strong ?? [], weak: ['gripper'] },
    { slug: 'speech-audio', strong: DEFAULT_TOPICS.bySlug('speech-audio')?.strong ?? [], weak: [] },
    { slug: 'knitting', strong: ['cable stitch'], weak: [] },
  ]
  const trained = trainModel({ papers, by: { judged }, topics: own })

  it('makes a model for those with judgements, and leaves the others to their phrases', () => {
    expect(trained.topics.map(({ slug }) => slug)).toEqual(['robotics', 'speech-audio'])
    expect(trained.measured.map(({ topic }) => topic)).toEqual(['robotics', 'speech-audio'])
    const score = createScorer(readModel(JSON.parse(writeModel(trained))), own)
    const [best] = score({ title: 'On it', abstract: `It is so and so. With ${COMPANIONS}.` })
    expect(best?.topic).toBe('robotics')
    expect(score({ title: 'A cable stitch', abstract: 'A cable stitch is a stitch.' })[0]?.topic).toBe('knitting')
  })

  it('keeps what a teacher knows, with the phrases of now', () => {
    const taught = trainModel({ papers, by: { teacher: trained }, topics: own.toReversed() })
    expect(taught.topics).toEqual(trained.topics)
  })

  it('is refused where no topic has judgements enough', () => {
    const none = () => trainModel({ papers, by: { judged }, topics: own.slice(2) })
    expect(none).toThrow('To no topic 10 judged papers are relevant')
  })
})

describe('a file of a model', () => {
  const text = writeModel(model)
  const damaged = (change: (file: Record<string, unknown>) => void): (() => unknown) => {
    const file = JSON.parse(text) as Record<string, unknown>
    change(file)
    return () => readModel(file)
  }

  it('gives the same model when read back', () => {
    expect(readModel(JSON.parse(text))).toEqual(model)
  })

  it('is refused in a sentence when it is none, of another version, of other topics, or damaged', () => {
    expect(() => readModel([])).toThrow('This is no relevance model')
    expect(() => readModel({})).toThrow(UnusableModel)
    const later = damaged((file) => {
      file.version = MODEL_VERSION + 1
    })
    expect(later).toThrow(`of version ${MODEL_VERSION + 1}, and this program reads version ${MODEL_VERSION}`)
    const other = damaged((file) => {
      file.topics = ['knitting']
    })
    expect(other).toThrow('The model is damaged')
    const twice = damaged((file) => {
      file.topics = (file.topics as string[]).with(0, 'robotics')
    })
    expect(twice).toThrow('The model is damaged: the list of topics')
    const cut = damaged((file) => {
      const linear = file.linear as { weights: string }
      linear.weights = linear.weights.slice(0, 1_000)
    })
    expect(cut).toThrow('The model is damaged: the weights of terms')
    for (const part of ['vocabulary', 'phrases', 'linear', 'network', 'blend', 'calibration', 'measured', 'fittedOn'])
      expect(damaged((file) => delete file[part])).toThrow(UnusableModel)
  })

  it('is used when a phrase was added that it never counted', () => {
    const file = JSON.parse(text) as { phrases: { frequencies: Record<string, number> } }
    delete file.phrases.frequencies.robot
    const paper = { title: 'A robot', abstract: 'A robot walks on and on.' }
    const robotics = createScorer(readModel(file))(paper).find(({ topic }) => topic === 'robotics')
    expect(robotics?.score).toBeGreaterThan(0)
  })

  it('ships under 4 MB, of thousands of papers, with nothing of their sentences', () => {
    expect(Buffer.byteLength(writeModel(SHIPPED_MODEL))).toBeLessThan(4_000_000)
    expect(SHIPPED_MODEL.fittedOn.papers).toBeGreaterThan(5_000)
    for (const term of SHIPPED_MODEL.vocabulary.terms) expect(term.split(' ').length).toBeLessThanOrEqual(2)
  })
})
