/** What is proposed to a reader from what they asked for more or less of. */
import { expect, test } from 'vitest'
import { type Preferences, STANDARD } from '../../../src/core/subscriber/preferences.ts'
import {
  findProposal,
  type PastProposal,
  proposalLine,
  tryProposal,
  withoutProposal,
} from '../../../src/core/taste/proposal.ts'
import type { Press } from '../../../src/core/taste/taste.ts'

const NOW = new Date('2026-04-14T10:00:00Z')
const DAY = 86_400_000
const CHOSEN: Preferences = { ...STANDARD, topics: ['robotics'] }

/** Presses for papers that share these terms and one of their own each; the newest is of today. */
const presses = (count: number, terms: string[], direction: Press['direction'] = 'more', every = 1): Press[] =>
  Array.from({ length: count }, (_, n) => ({
    paperId: `2604.${direction}${n}`,
    direction,
    at: new Date(NOW.getTime() - n * every * DAY),
    terms: [...terms, `own${n} pair${n}`].map((term) => ({ term, label: term.replace(/^\w+:/, ''), weight: 1 })),
  }))

const MASKED = { kind: 'keyword', value: 'masked diffusion', label: 'masked diffusion' } as const
const find = (said: Press[], preferences = CHOSEN, past: PastProposal[] = []) =>
  findProposal(said, preferences, past, NOW)

test('four papers of 60 days that share a pair of words, a topic or an author speak for it, three do not', () => {
  for (const [term, expected] of [
    ['masked diffusion', { ...MASKED, presses: 4 }],
    ['topic:diffusion-lm', { kind: 'topic', value: 'diffusion-lm', label: 'diffusion-lm', presses: 4 }],
    ['author:Ada Lovelace', { kind: 'author', value: 'Ada Lovelace', label: 'Ada Lovelace', presses: 4 }],
  ] as const) {
    expect(find(presses(3, [term]))).toBeNull()
    expect(find(presses(4, [term]))).toEqual(expected)
    expect(find(presses(4, [term], 'more', 21))).toBeNull()
  }
  expect(find(presses(9, ['diffusion']))).toBeNull()
})

test('words are muted when five papers share them and none that was asked for does; topics and authors never', () => {
  expect(find(presses(4, ['benchmark suite'], 'less'))).toBeNull()
  const muted = { kind: 'muted', value: 'benchmark suite', label: 'benchmark suite', presses: 5 }
  expect(find(presses(5, ['benchmark suite'], 'less'))).toEqual(muted)
  const both = [...presses(9, ['benchmark suite'], 'less'), ...presses(1, ['benchmark suite'])]
  expect(find(both)).toBeNull()
  expect(find(presses(9, ['topic:diffusion-lm', 'author:Ada Lovelace'], 'less'))).toBeNull()
})

test('what is refused in every fourth paper is not proposed, and of several the most shared is', () => {
  const mixed = [...presses(4, ['masked diffusion']), ...presses(2, ['masked diffusion'], 'less')]
  expect(find(mixed)).toBeNull()
  const more = [...presses(4, ['masked diffusion', 'topic:diffusion-lm']), ...presses(6, ['small models'])]
  expect(find(more)?.value).toBe('small models')
  expect(find(presses(4, ['masked diffusion', 'topic:diffusion-lm', 'author:Ada Lovelace']))?.kind).toBe('author')
})

test('what is chosen already, muted, no topic any more, or over the limit of 20 is not proposed', () => {
  const said = presses(4, ['masked diffusion'])
  expect(find(said, { ...CHOSEN, keywords: ['Masked-Diffusion'] })).toBeNull()
  expect(find(said, { ...CHOSEN, muted: ['masked diffusion'] })).toBeNull()
  const full = Array.from({ length: 20 }, (_, n) => `keyword ${n}`)
  expect(find(said, { ...CHOSEN, keywords: full })).toBeNull()
  expect(find(presses(4, ['topic:robotics']))).toBeNull()
  expect(find(presses(4, ['topic:alchemy']))).toBeNull()
})

test('a proposal rests for 60 days, all of them for a week, and an answered one is not made again', () => {
  const said = presses(4, ['masked diffusion'])
  const before = (days: number, answer: PastProposal['answer'] = null, value = 'masked diffusion'): PastProposal[] => [
    { kind: 'keyword', value, proposedAt: new Date(NOW.getTime() - days * DAY), answer },
  ]
  expect(find(said, CHOSEN, before(59))).toBeNull()
  expect(find(said, CHOSEN, before(60))).not.toBeNull()
  for (const answer of ['accepted', 'declined'] as const) expect(find(said, CHOSEN, before(900, answer))).toBeNull()
  expect(find(said, CHOSEN, before(6, null, 'other words'))).toBeNull()
  expect(find(said, CHOSEN, before(7, null, 'other words'))).not.toBeNull()
})

test('accepting adds it to its list alone, undoing takes it out, and what cannot be added says why', () => {
  const proposal = { kind: 'keyword', value: 'masked diffusion' } as const
  const added = tryProposal(proposal, { ...CHOSEN, keywords: ['Lean 4'] })
  expect(added).toEqual({ state: 'open', preferences: { ...CHOSEN, keywords: ['Lean 4', 'masked diffusion'] } })
  if (added.state !== 'open') throw new Error('not open')
  expect(tryProposal(proposal, added.preferences)).toEqual({ state: 'present' })
  expect(withoutProposal(proposal, added.preferences)).toEqual({ ...CHOSEN, keywords: ['Lean 4'] })
  const full = { ...CHOSEN, keywords: Array.from({ length: 20 }, (_, n) => `keyword ${n}`) }
  expect(tryProposal(proposal, full)).toEqual({ state: 'full' })
  expect(tryProposal({ kind: 'muted', value: 'lean 4' }, { ...CHOSEN, keywords: ['Lean 4'] })).toEqual({
    state: 'cannot',
  })
  expect(tryProposal({ kind: 'topic', value: 'alchemy' }, CHOSEN)).toEqual({ state: 'cannot' })
})

test('a proposal is one sentence with a question', () => {
  expect(proposalLine({ ...MASKED, presses: 5 })).toBe(
    'You asked for more about masked diffusion five times. Add it as a keyword?',
  )
  expect(proposalLine({ kind: 'muted', label: 'benchmark suite', presses: 13 })).toBe(
    'You asked for less about benchmark suite 13 times. Mute these words?',
  )
})
