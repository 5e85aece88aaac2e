/** A digest as JSON: its papers in order, each with why and how it came in. */
import { expect, it } from 'vitest'
import { card, openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const issue = {
  kind: 'weekly' as const,
  localDate: '2026-04-18',
  listDays: ['2026-04-16', '2026-04-17'],
  topics: ['Robotics & embodied AI', 'LLM agents & tool use'],
  cards: [card({ title: '<b>Arms</b>' }), card({ title: 'Agents', upvotes: null, url: null })],
  also: [card({ title: 'Kitchens', reason: 'Robotics & embodied AI: “gripper”' })],
  trendingExtras: [card({ title: 'Elsewhere', reason: 'Top 3% of the month’s papers' })],
  groups: [
    { label: 'Robotics & embodied AI', papers: 1 },
    { label: 'LLM agents & tool use', papers: 1 },
  ],
  news: [{ kind: 'code' as const, title: 'Older', url: null, line: 'code is out' }],
  listed: 60,
  cutoff: '2026-04-18T06:00:00.000Z',
  note: null,
  sample: false,
}

it('has what the mail shows, in its order, with the reasons', async () => {
  await using site = await openTestSite({ issue })
  const answer = await fetch(`${site.url}/digests/${TOKEN.view}.json`)
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  const digest = (await answer.json()) as { papers: Record<string, unknown>[] }
  expect(digest).toMatchObject({
    kind: 'weekly',
    date: '2026-04-18',
    listDays: ['2026-04-16', '2026-04-17'],
    listed: 60,
    cutoff: '2026-04-18T06:00:00.000Z',
    follows: ['Robotics & embodied AI', 'LLM agents & tool use'],
    note: null,
    sample: false,
    news: [{ kind: 'code', title: 'Older', url: null, line: 'code is out' }],
  })
  expect(digest.papers.map(({ title, section, topic, reason }) => [title, section, topic, reason])).toEqual([
    ['<b>Arms</b>', 'followed', 'Robotics & embodied AI', card().reason],
    ['Agents', 'followed', 'LLM agents & tool use', card().reason],
    ['Kitchens', 'also', undefined, 'Robotics & embodied AI: “gripper”'],
    ['Elsewhere', 'trending', undefined, 'Top 3% of the month’s papers'],
  ])
})

it('has the authors as a line for people and as names for programs', async () => {
  const cards = [card({ authors: 'Ada Lovelace and Grace Hopper', authorNames: ['Ada Lovelace', 'Grace Hopper'] })]
  await using site = await openTestSite({ issue: { ...issue, cards, groups: [] } })
  const answer = await fetch(`${site.url}/digests/${TOKEN.view}.json`)
  const { papers } = (await answer.json()) as { papers: Record<string, unknown>[] }
  expect(papers[0]).toMatchObject({
    authors: 'Ada Lovelace and Grace Hopper',
    authorNames: ['Ada Lovelace', 'Grace Hopper'],
  })
})

it('a dead link has none', async () => {
  await using site = await openTestSite({ issue })
  const answer = await fetch(`${site.url}/digests/${TOKEN.preferences}.json`, {
    headers: { accept: 'application/json' },
  })
  expect([answer.status, await answer.json()]).toEqual([404, expect.objectContaining({ title: 'Dead link' })])
})
