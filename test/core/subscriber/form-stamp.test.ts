/** The stamp of a form: too fast is told, and nothing else is. */
import { expect, test } from 'vitest'
import { FASTEST, isHasty, stampForm } from '../../../src/core/subscriber/form-stamp.ts'
import type { Keys } from '../../../src/core/token.ts'

const KEYS: Keys = [Buffer.alloc(32, 7)]
const SHOWN = new Date('2026-04-14T05:00:00Z')
const after = (ms: number) => new Date(SHOWN.getTime() + ms)

test('a form that comes back sooner than a person types is hasty; one that was open for a year is not', () => {
  const stamp = stampForm(KEYS, SHOWN)
  expect([0, FASTEST - 1, FASTEST, 86_400_000, 365 * 86_400_000].map((ms) => isHasty(KEYS, stamp, after(ms)))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
  expect(isHasty([Buffer.alloc(32, 8), ...KEYS], stamp, after(FASTEST))).toBe(false)
})

test('a stamp that we did not make counts as hasty', () => {
  const stamp = stampForm(KEYS, SHOWN)
  const earlier = stampForm(KEYS, after(-86_400_000))
  const forged = [
    '',
    'x',
    stamp.slice(1),
    `${earlier.split('.')[0]}.${stamp.split('.')[1]}`,
    stampForm([Buffer.alloc(32, 9)], SHOWN),
    'é'.repeat(40),
  ]
  for (const one of forged) expect([one, isHasty(KEYS, one, after(86_400_000))]).toEqual([one, true])
})
