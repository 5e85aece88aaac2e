import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, SECOND } from '../../../src/core/calendar.ts'
import {
  FULL_CONCURRENCY,
  isSlow,
  MAILS_PER_STEP,
  type Pace,
  slowDown,
  speedUp,
  type ThrottleCause,
} from '../../../src/core/sending/pace.ts'

const CAUSES: ThrottleCause[] = ['throttled', 'limited', 'away', 'policy', 'lost', 'login', 'sender', 'tls', 'relay']

describe('a destination that is given too much', () => {
  it('gets half, and half again, and never nothing; back-offs double up to an hour', () => {
    const concurrency: number[] = []
    const backOffs: number[] = []
    let pace: Pace | null = null
    for (let n = 0; n < 8; n++) {
      const next = slowDown(pace, 'throttled')
      pace = next.pace
      concurrency.push(pace.concurrency)
      backOffs.push(next.backOffMs / MINUTE)
    }
    expect(concurrency).toEqual([8, 4, 2, 1, 1, 1, 1, 1])
    expect(backOffs).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
  })

  it('is left alone for ten minutes and then gets one mail at a time where Google answers 4.7.28', () => {
    expect(slowDown(null, 'limited')).toEqual({
      pace: { cause: 'limited', concurrency: 1, successes: 0, failures: 1 },
      backOffMs: 10 * MINUTE,
    })
  })

  it('gets one more at a time for mails it takes, until it is like any other', () => {
    let pace: Pace | null = slowDown(null, 'limited').pace
    const seen: number[] = []
    let mails = 0
    while (pace !== null) {
      if (seen.at(-1) !== pace.concurrency) seen.push(pace.concurrency)
      pace = speedUp(pace, 1)
      mails++
    }
    expect(seen).toEqual(Array.from({ length: FULL_CONCURRENCY }, (_, n) => n + 1))
    expect(mails).toBe(FULL_CONCURRENCY * MAILS_PER_STEP)
  })
})

describe('a closed route', () => {
  it('is open as soon as one mail is taken', () => {
    for (const cause of CAUSES.filter((one) => !isSlow(one))) {
      const { pace } = slowDown(null, cause)
      expect(pace.concurrency).toBe(1)
      expect(speedUp(pace, 1)).toBeNull()
    }
  })

  it.each([
    ['relay', 'cannot be reached, in the end every half minute', [5, 10, 20, 30, 30, 30]],
    ['login', 'refuses our login, in the end every five minutes', [30, 60, 120, 240, 300, 300]],
  ] as const)('is probed soon if it is a relay that fails by %s: %s', (cause, _, seconds) => {
    let pace: Pace | null = null
    const backOffs = Array.from({ length: 6 }, () => {
      const next = slowDown(pace, cause, true)
      pace = next.pace
      return next.backOffMs / SECOND
    })
    expect(backOffs).toEqual(seconds)
  })
})

it('whatever happens, concurrency stays within bounds and grows by one at most, and no back-off is longer than an hour', () => {
  const event = fc.oneof(
    fc.constantFrom(...CAUSES).map((cause) => ({ cause })),
    fc.integer({ min: 1, max: 500 }).map((taken) => ({ taken })),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.boolean(), (events, isRelay) => {
      let pace: Pace | null = null
      for (const each of events) {
        const before: number = pace?.concurrency ?? FULL_CONCURRENCY
        if ('cause' in each) {
          const next = slowDown(pace, each.cause, isRelay)
          pace = next.pace
          expect(next.backOffMs).toBeGreaterThan(0)
          expect(next.backOffMs).toBeLessThanOrEqual(HOUR)
          expect(pace.concurrency).toBeLessThanOrEqual(before)
        } else if (pace !== null) pace = speedUp(pace, each.taken)
        const after: number = pace?.concurrency ?? FULL_CONCURRENCY
        expect(after).toBeGreaterThanOrEqual(1)
        expect(after).toBeLessThanOrEqual(FULL_CONCURRENCY)
        if ('taken' in each && pace !== null) expect(after - before).toBeLessThanOrEqual(1)
      }
    }),
  )
})
