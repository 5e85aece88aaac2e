import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import { GATE, scoreTopics } from '../../src/core/relevance.ts'
import { TOPICS } from '../../src/core/topics.ts'

const folder = path.resolve(import.meta.dirname, '../../../shared/data/eval')
const hasJudgements = existsSync(folder)

interface Judged {
  date: string
  /** 2 = squarely about the topic, 1 = relevant to its subscribers; other topics are absent. */
  grades: Record<string, number>
  scores: Map<string, number>
}

const readRows = <Row>(name: string): Row[] =>
  readFileSync(path.join(folder, name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)

const readJudged = (): Judged[] => {
  const labels = readRows<{ id: string; topics: Record<string, number> }>('topic-labels.jsonl')
  const gradesOf = new Map(labels.map(({ id, topics }) => [id, topics]))
  return readRows<{ id: string; date: string; title: string; abstract: string }>('papers.jsonl').map((paper) => ({
    date: paper.date,
    grades: gradesOf.get(paper.id) ?? {},
    scores: new Map(scoreTopics(paper).map(({ topic, score }) => [topic, score])),
  }))
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
const mean = (values: number[]): number => sum(values) / values.length
const gain = (grade: number): number => 2 ** grade - 1
const discounts = Array.from({ length: 10 }, (_, at) => 1 / Math.log2(at + 2))
const dcg = (grades: number[]): number => sum(discounts.map((discount, at) => discount * gain(grades[at] ?? 0)))
const ndcg = (grades: number[]): number => dcg(grades) / dcg(grades.toSorted((a, b) => b - a))

const isoWeek = (date: string): string => {
  const { yearOfWeek, weekOfYear } = Temporal.PlainDate.from(date)
  return `${yearOfWeek}-W${weekOfYear}`
}

/** For every topic and ISO week with two or more relevant papers: that week's papers with their grade and score. */
const cellsOf = (papers: Judged[]): { grade: number; score: number }[][] =>
  TOPICS.flatMap(({ slug }) =>
    [...Map.groupBy(papers, ({ date }) => isoWeek(date)).values()].map((week) =>
      week.map(({ grades, scores }) => ({ grade: grades[slug] ?? 0, score: scores.get(slug) ?? 0 })),
    ),
  ).filter((cell) => cell.filter(({ grade }) => grade > 0).length >= 2)

/** A shuffle that is the same in every run (a linear congruential generator). */
const createShuffle = (seed: number) => {
  let state = seed
  const next = (): number => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
  return <T>(items: T[]): T[] =>
    items
      .map((item) => ({ item, key: next() }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item)
}

describe.skipIf(!hasJudgements)('relevance on the judged days (skipped where ../shared/data/eval is absent)', () => {
  const papers = hasJudgements ? readJudged() : []
  const cells = cellsOf(papers)

  it('ranks the papers of a week for a topic with a mean nDCG@10 of 0.76 or more', () => {
    expect(papers.length).toBe(777)
    expect(cells.length).toBeGreaterThan(150)
    const ranked = cells.map((cell) => ndcg(cell.toSorted((a, b) => b.score - a.score).map(({ grade }) => grade)))
    expect(mean(ranked)).toBeGreaterThanOrEqual(0.76)
  })

  it('is measured by a yardstick that gives a random order what chance would', () => {
    const shuffle = createShuffle(7)
    const rounds = Array.from({ length: 20 }, () =>
      mean(cells.map((cell) => ndcg(shuffle(cell.map(({ grade }) => grade))))),
    )
    // On average every place holds the mean gain of the cell.
    const chance = mean(
      cells.map((cell) => {
        const grades = cell.map(({ grade }) => grade)
        return (mean(grades.map(gain)) * sum(discounts)) / dcg(grades.toSorted((a, b) => b - a))
      }),
    )
    expect(chance).toBeLessThan(0.15)
    expect(Math.abs(mean(rounds) - chance)).toBeLessThan(0.01)
  })

  it('passes papers of which more than five in six are relevant, on half of all topic-days', () => {
    const pairs = papers.flatMap(({ date, grades, scores }) =>
      TOPICS.map(({ slug }) => ({
        day: `${slug} ${date}`,
        relevant: (grades[slug] ?? 0) > 0,
        passes: (scores.get(slug) ?? 0) >= GATE,
      })),
    )
    const passed = pairs.filter(({ passes }) => passes)
    const hits = passed.filter(({ relevant }) => relevant)
    expect(hits.length / passed.length).toBeGreaterThan(0.85)
    expect(hits.length / pairs.filter(({ relevant }) => relevant).length).toBeGreaterThan(0.4)
    const share = new Set(passed.map(({ day }) => day)).size / new Set(pairs.map(({ day }) => day)).size
    expect(share).toBeGreaterThan(0.45)
  })
})
