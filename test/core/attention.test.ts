/** What needs a person now. */
import { expect, test } from 'vitest'
import { findMatters, type Situation } from '../../src/core/attention.ts'

const NOW = new Date('2026-04-15T06:00:00Z')
const hoursAgo = (hours: number) => new Date(NOW.getTime() - hours * 3_600_000)
const CALM: Situation = {
  now: NOW,
  hold: null,
  alarms: [],
  editions: [{ id: 7, status: 'sending', pausedWhy: null, unknown: 2, pending: 5 }],
  setAside: { subscribers: 0, signUps: 0 },
  returned: { sent: 10_000, hard: 100, complaints: 3 },
  sources: [{ source: 'huggingface', triedAt: NOW, succeededAt: hoursAgo(23), error: 'no answer' }],
}
const mattersOf = (change: Partial<Situation>) => findMatters({ ...CALM, ...change })
const textsOf = (change: Partial<Situation>) => mattersOf(change).map(({ text }) => text)

test('nothing does where all goes its way, retries and a source that fails for an hour included', () => {
  expect(findMatters(CALM)).toEqual([])
})

test('bounces and complaints do from half the share at which an edition is paused, unless they are a few', () => {
  expect(textsOf({ returned: { sent: 10_000, hard: 150, complaints: 4 } })).toEqual([
    'Addresses that do not exist: 1.5% of the digests of seven days. At 3% an edition is paused.',
    'Complaints: 0.04% of the digests of seven days. At 0.08% an edition is paused.',
  ])
  expect(textsOf({ returned: { sent: 100, hard: 9, complaints: 2 } })).toEqual([])
  expect(textsOf({ returned: { sent: 0, hard: 20, complaints: 20 } })).toEqual([])
})

test('an edition that waits for a decision is told once, by its alarm where there is one', () => {
  const editions = [{ id: 7, status: 'paused', pausedWhy: 'too many bounces', unknown: 0, pending: 2 }]
  expect(mattersOf({ editions })).toEqual([
    { text: 'Edition 7 is paused: too many bounces. 2 digests of it wait.', place: { to: 'edition', id: 7 } },
  ])
  const alarms = [{ kind: 'edition-paused' as const, subject: '7', title: 'Edition 7 is paused', advice: 'Decide.' }]
  expect(mattersOf({ editions, alarms })).toEqual([
    { text: 'Edition 7 is paused. Decide.', place: { to: 'edition', id: 7 } },
  ])
})

test('digests of unknown outcome do when nothing else of their edition waits', () => {
  const editions = [{ id: 7, status: 'sending', pausedWhy: null, unknown: 1, pending: 0 }]
  expect(mattersOf({ editions })).toEqual([
    {
      text: 'It is not known whether 1 digest of edition 7 arrived. Send them again, or leave them.',
      place: { to: 'missed', id: 7 },
    },
  ])
})

test('a source does that is asked in vain for a day, and not one that nobody asks any more', () => {
  const source = { source: 'huggingface', triedAt: NOW, succeededAt: hoursAgo(24), error: 'no answer' }
  expect(mattersOf({ sources: [source] })).toHaveLength(1)
  expect(mattersOf({ sources: [{ ...source, succeededAt: null }] })).toHaveLength(1)
  expect(mattersOf({ sources: [{ ...source, triedAt: hoursAgo(25) }] })).toEqual([])
  expect(mattersOf({ sources: [{ ...source, error: null }] })).toEqual([])
})
