/** When digests come, in words. */
import { expect, test } from 'vitest'
import { expectedTime, nextDigestSentence, sendingTimes } from '../../../src/core/subscriber/schedule.ts'

const LONDON = {
  frequency: 'daily',
  hour: 7,
  weekday: 6,
  timeZone: 'Europe/London',
  atOnce: false,
  leastPapers: 1,
} as const
const at = (instant: string): Date => new Date(instant)

test('the hours of a reader are said with their zone, and that a day without new papers sends nothing', () => {
  expect(sendingTimes(LONDON)).toBe('at 07:00 London time, on days with new papers')
  expect(sendingTimes({ ...LONDON, frequency: 'weekly' })).toBe('every Saturday at 07:00 London time')
  expect(sendingTimes({ ...LONDON, frequency: 'weekly', timeZone: 'UTC', weekday: 1, hour: 18 })).toBe(
    'every Monday at 18:00 UTC',
  )
})

test('on weekdays the next digest is expected at the next due time', () => {
  expect(expectedTime(at('2026-04-22T06:00:00Z'), LONDON)).toBe('on Wednesday 22 April at 07:00 London time')
  expect(nextDigestSentence(at('2026-04-22T06:00:00Z'), LONDON)).toBe(
    'Your next digest is expected on Wednesday 22 April at 07:00 London time, if there are new papers for you.',
  )
  // The list of Friday.
  expect(expectedTime(at('2026-04-25T06:00:00Z'), LONDON)).toBe('on Saturday 25 April at 07:00 London time')
})

test.each([
  ['Europe/London', 7, '2026-04-26T06:00:00Z', 'by 07:00 London time on Tuesday 28 April'],
  ['Europe/London', 12, '2026-04-25T11:00:00Z', 'by 12:00 London time on Monday 27 April'],
  ['America/New_York', 7, '2026-04-25T11:00:00Z', 'by 07:00 New York time on Monday 27 April'],
  ['America/Los_Angeles', 18, '2026-04-26T01:00:00Z', 'by 18:00 Los Angeles time on Monday 27 April'],
  ['Asia/Tokyo', 7, '2026-04-25T22:00:00Z', 'by 07:00 Tokyo time on Tuesday 28 April'],
  ['Asia/Tokyo', 22, '2026-04-25T13:00:00Z', 'by 22:00 Tokyo time on Monday 27 April'],
])(
  'over a weekend, after which no list has come in, it is expected later: %s at %i',
  (timeZone, hour, due, expected) => {
    expect(expectedTime(at(due), { ...LONDON, timeZone, hour })).toBe(expected)
    expect(nextDigestSentence(at(due), { ...LONDON, timeZone, hour })).toBe(
      `No papers are listed at weekends. Your next digest is expected ${expected}, if there are new papers for you.`,
    )
  },
)

test('who gets at once what stands out is told so, and expects the digest of the week', () => {
  const weekly = { ...LONDON, frequency: 'weekly', atOnce: true } as const
  expect(sendingTimes(weekly)).toBe('every Saturday at 07:00 London time, and at once what is in the top 1 %')
  expect(expectedTime(new Date('2026-04-15T06:00:00Z'), weekly)).toBe('on Saturday 18 April at 07:00 London time')
})

test('a least number of papers is told with the time', () => {
  expect(sendingTimes({ ...LONDON, leastPapers: 3 })).toBe('at 07:00 London time, on days with at least 3 new papers')
})

test('a weekly digest is expected on its weekday, whichever that is', () => {
  const weekly = { ...LONDON, frequency: 'weekly', weekday: 7 } as const
  expect(expectedTime(at('2026-04-26T06:00:00Z'), weekly)).toBe('on Sunday 26 April at 07:00 London time')
})

test('an hour that a clock change skips is said as it will be', () => {
  const madrid = { ...LONDON, timeZone: 'Europe/Madrid', hour: 2, frequency: 'weekly', weekday: 7 } as const
  expect(expectedTime(at('2026-03-29T01:00:00Z'), madrid)).toBe('on Sunday 29 March at 03:00 Madrid time')
})
