/** Which topic a digest offers: near to what its readers follow, with several papers, and not the same every day. */
import { expect, test } from 'vitest'
import { addDays } from '../../../src/core/calendar.ts'
import type { Fit } from '../../../src/core/digest/ranking.ts'
import { findTopicPapers, offerTopic } from '../../../src/core/digest/topic-offer.ts'
import { type Profile, STANDARD, TRENDING } from '../../../src/core/subscriber/preferences.ts'

const profile = (more: Partial<Profile>): Profile => ({ ...STANDARD, topics: [], ...more })

let count = 0
/** A paper of some topics, each with a score of 0.9 unless given. */
const paper = (...topics: (string | [string, number])[]) => ({
  id: `2604.${String(count++).padStart(5, '0')}`,
  title: 'A title',
  listDay: `2026-04-${String(7 + (count % 3)).padStart(2, '0')}`,
  upvotes: 5,
  trend: { percentile: 0.5, topPercent: null },
  relevance: topics.map((one): Fit => {
    const [topic, score] = typeof one === 'string' ? [one, 0.9] : one
    return { topic, score, matches: [] }
  }),
})
const three = (...topics: (string | [string, number])[]) => [1, 2, 3].map(() => paper(...topics))

const MONTH = Array.from({ length: 28 }, (_, n) => addDays('2026-04-01', n))
/** What is offered on each day of four weeks. */
const offers = (papers: ReturnType<typeof paper>[], chosen: Profile, ids: string[] = []) =>
  MONTH.map((date) => offerTopic(findTopicPapers(papers), chosen, date, new Set(ids)))

test('a topic that shares papers with what is followed is offered with its number of papers, on its turn', () => {
  const week = [...three('robotics', 'world-models'), paper('world-models'), ...three('recsys'), ...three('robotics')]
  const made = offers(week, profile({ topics: ['robotics'] }))
  expect(new Set(made.map((offer) => offer?.topic))).toEqual(new Set([undefined, 'world-models']))
  expect(made.filter((offer) => offer !== null).length).toBeGreaterThan(4)
  const listDays = ['2026-04-07', '2026-04-08', '2026-04-09']
  for (const offer of made) if (offer !== null) expect(offer).toEqual({ topic: 'world-models', papers: 4, listDays })
})

test('no topic is offered on two days in a row, nor in two weeks', () => {
  const all = ['agents', 'code', 'world-models', 'vlm', '3d-vision', 'autonomous-driving', 'video-generation']
  const week = all.flatMap((topic) => three('robotics', topic))
  const made = offers(week, profile({ topics: ['robotics'] })).map((offer) => offer?.topic)
  expect(new Set(made).size).toBeGreaterThan(3)
  for (const apart of [1, 2, 3, 4, 7])
    for (const [n, topic] of made.entries())
      if (topic !== undefined && n >= apart) expect(topic).not.toBe(made[n - apart])
})

test.each([
  ['two papers', [paper('robotics', 'world-models'), paper('robotics', 'world-models')], { topics: ['robotics'] }],
  ['papers that fit in part', three('robotics', ['world-models', 0.5]), { topics: ['robotics'] }],
  ['papers that share nothing', three('recsys'), { topics: ['robotics'] }],
  ['a topic that is followed', three('robotics', 'world-models'), { topics: ['robotics', 'world-models'] }],
  ['papers that do not trend', three('recsys'), { trending: true }],
])('%s are no reason for an offer', (_, week, chosen: Partial<Profile>) => {
  expect(offers(week, profile(chosen)).every((offer) => offer === null)).toBe(true)
})

test('those who get what trends are offered the topic of which most trends, others by keywords what these brought', () => {
  const trends = three('recsys', TRENDING)
  const week = [...trends, ...three('code')]
  const topicsOf = (made: ReturnType<typeof offers>) => [...new Set(made.flatMap((offer) => offer?.topic ?? []))]
  expect(topicsOf(offers(week, profile({ trending: true })))).toEqual(['recsys'])
  expect(topicsOf(offers(week, profile({ keywords: ['taste'] })))).toEqual([])
  expect(topicsOf(offers(week, profile({ keywords: ['taste'] }), [trends[0]?.id ?? '']))).toEqual(['recsys'])
})
