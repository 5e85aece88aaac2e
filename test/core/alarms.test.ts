/** Which conditions are alarms, and when. */
import { expect, test } from 'vitest'
import { type Alarm, findAlarms, noticeText, type ServiceState } from '../../src/core/alarms.ts'
import { MINUTE, SECOND } from '../../src/core/calendar.ts'

/** A Wednesday. */
const NOW = new Date('2026-04-15T12:00:00Z')
const ago = (milliseconds: number): Date => new Date(NOW.getTime() - milliseconds)

const WELL: ServiceState = {
  editions: [{ id: 1, pausedBy: null, pausedWhy: null, due: 10, missing: 0 }],
  relays: [],
  refusals: { mails: 0, destinations: [], systemic: false },
  newestListDay: '2026-04-14',
  failedSources: [],
  subscribersSince: null,
  oldestLetter: null,
  littleSpace: null,
  begun: ago(60 * MINUTE),
  lastTick: NOW,
}
const find = (state: Partial<ServiceState>, now = NOW): Alarm[] => findAlarms({ ...WELL, ...state }, now)
const kinds = (state: Partial<ServiceState>, now = NOW): string[] => find(state, now).map(({ kind }) => kind)

test('a service that works has no alarm', () => {
  expect(find({})).toEqual([])
})

test('an edition is one when the alarm paused it, and not when an operator did; one that does not add up is another', () => {
  const paused = { id: 7, pausedBy: 'alarm', pausedWhy: '12 of 200 digests (6.00%) bounced', due: 200, missing: 0 }
  expect(find({ editions: [paused] })).toMatchObject([
    {
      kind: 'edition-paused',
      subject: '7',
      detail: expect.stringContaining('12 of 200'),
      advice: expect.stringContaining('editions resume 7'),
    },
  ])
  expect(find({ editions: [{ ...paused, pausedBy: 'ada' }] })).toEqual([])
  expect(
    kinds({
      editions: [
        { ...paused, missing: 3 },
        { ...paused, id: 8, missing: -1 },
      ],
    }),
  ).toEqual(['edition-paused', 'edition-broken', 'edition-paused', 'edition-broken'])
})

test('a relay is one after two minutes, with what it said and how much waits', () => {
  const relay = {
    name: 'smtp.example.org:587',
    cause: 'quota' as const,
    reason: '454 Daily message quota exceeded',
    since: ago(2 * MINUTE),
    waiting: 1,
  }
  expect(find({ relays: [relay] })).toMatchObject([
    {
      kind: 'relay',
      subject: 'smtp.example.org:587',
      detail: expect.stringMatching(/454 Daily message quota exceeded\. 1 mail waits;/),
      advice: expect.stringMatching(/^The mail server says that our limit is reached: wait, /),
    },
  ])
  expect(find({ relays: [{ ...relay, since: ago(2 * MINUTE - 1) }] })).toEqual([])
})

test('papers are missed for each weekday, some hours after its end, and not for a weekend or soon after a start', () => {
  const at = (now: string, newestListDay: string) =>
    kinds({ newestListDay, begun: new Date(0), lastTick: new Date(now) }, new Date(now))
  expect(at('2026-04-15T05:59:00Z', '2026-04-13')).toEqual([])
  expect(at('2026-04-15T06:00:00Z', '2026-04-13')).toEqual(['papers'])
  expect(kinds({ newestListDay: '2026-04-13', begun: ago(15 * MINUTE - 1) })).toEqual([])
  // Saturday, Sunday and the night to Tuesday: Friday's papers are the newest there can be.
  for (const now of ['2026-04-18T12:00:00Z', '2026-04-19T12:00:00Z', '2026-04-20T12:00:00Z', '2026-04-21T05:00:00Z'])
    expect(at(now, '2026-04-17')).toEqual([])
  expect(at('2026-04-21T06:00:00Z', '2026-04-17')).toEqual(['papers'])
})

test('without any papers there is one only when a subscriber has waited a day, and the error of the source stands in it', () => {
  const failedSources = [{ source: 'Hugging Face', error: 'answered 503' }]
  expect(find({ newestListDay: null })).toEqual([])
  expect(find({ newestListDay: null, subscribersSince: ago(23 * 60 * MINUTE) })).toEqual([])
  expect(find({ newestListDay: null, subscribersSince: ago(24 * 60 * MINUTE), failedSources })).toMatchObject([
    {
      kind: 'papers',
      title: 'There are no papers',
      detail: expect.stringContaining('Hugging Face failed: answered 503.'),
    },
  ])
})

test('a confirmation that waits for two minutes, a tick that is five minutes old, a full disk and refusals everywhere are some', () => {
  expect(find({ littleSpace: '12 MB are free' })).toMatchObject([{ kind: 'disk', detail: '12 MB are free.' }])
  expect(kinds({ oldestLetter: 119 })).toEqual([])
  expect(kinds({ oldestLetter: 120 })).toEqual(['letters'])
  expect(kinds({ lastTick: ago(5 * MINUTE - SECOND) })).toEqual([])
  expect(kinds({ lastTick: ago(5 * MINUTE) })).toEqual(['tick'])
  expect(
    find({ refusals: { mails: 30, destinations: ['a.example', 'b.example', 'c.example'], systemic: true } }),
  ).toMatchObject([{ kind: 'refusals', detail: expect.stringContaining('a.example, b.example, c.example') }])
})

test('a notice says what is wrong and what to do, and the one that it is over how long it lasted', () => {
  const [alarm] = find({ oldestLetter: 600 })
  const notice = { ...(alarm as Alarm), id: 1, raisedAt: new Date('2026-04-15T10:00:00Z'), clearedAt: null }
  const raised = noticeText({ ...notice, event: 'raised' }, 'https://round.example.org')
  expect(raised.subject).toBe('[Paper Round] Confirmations wait')
  expect(raised.text).toContain('10 minutes')
  expect(raised.text).toContain('https://round.example.org')
  const over = noticeText(
    { ...notice, event: 'cleared', clearedAt: new Date('2026-04-15T10:41:00Z') },
    'https://round.example.org',
  )
  expect(over.subject).toBe('[Paper Round] Over: Confirmations wait')
  expect(over.text).toContain('It lasted 41 minutes, from 2026-04-15 10:00 UTC to 2026-04-15 10:41 UTC.')
})
