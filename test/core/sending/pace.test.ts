import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE } from '../../../src/core/calendar.ts'
import {
  FREE,
  faster,
  isSlow,
  MAILS_PER_STEP,
  type Pace,
  slower,
  type ThrottleCause,
} from '../../../src/core/sending/pace.ts'

const TROUBLES: ThrottleCause[] = ['throttled', 'limited', 'away', 'policy', 'lost', 'login', 'sender', 'tls', 'relay']

describe('a destination that is given too much', () => {
  it('gets half, and half again, and never nothing; the rests double up to an hour', () => {
    const concurrency: number[] = []
    const rests: number[] = []
    let pace: Pace | null = null
    for (let n = 0; n < 8; n++) {
      const next = slower(pace, 'throttled')
      pace = next.pace
      concurrency.push(pace.concurrency)
      rests.push(next.backOffMs / MINUTE)
    }
    expect(concurrency).toEqual([8, 4, 2, 1, 1, 1, 1, 1])
    expect(rests).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
  })

  it('rests ten minutes and begins with one mail at a time where Google says 4.7.28', () => {
    expect(slower(null, 'limited')).toEqual({
      pace: { cause: 'limited', concurrency: 1, successes: 0, failures: 1 },
      backOffMs: 10 * MINUTE,
    })
  })

  it('gets one more at a time for mails it takes, until it is like any other', () => {
    let pace: Pace | null = slower(null, 'limited').pace
    const seen: number[] = []
    let mails = 0
    while (pace !== null) {
      if (seen.at(-1) !== pace.concurrency) seen.push(pace.concurrency)
      pace = faster(pace, 1)
      mails++
    }
    expect(seen).toEqual(Array.from({ length: FREE }, (_, n) => n + 1))
    expect(mails).toBe(FREE * MAILS_PER_STEP)
  })
})

describe('a closed way', () => {
  it('is open as soon as one mail goes through', () => {
    for (const cause of TROUBLES.filter((one) => !isSlow(one))) {
      const { pace } = slower(null, cause)
      expect(pace.concurrency).toBe(1)
      expect(faster(pace, 1)).toBeNull()
    }
  })

  it('of a relay is looked at after half a minute, at last every five', () => {
    let pace: Pace | null = null
    const rests = Array.from({ length: 6 }, () => {
      const next = slower(pace, 'relay', true)
      pace = next.pace
      return next.backOffMs / MINUTE
    })
    expect(rests).toEqual([0.5, 1, 2, 4, 5, 5])
  })
})

it('whatever happens, seats stay within bounds, grow by one at most, and no rest is longer than an hour', () => {
  const event = fc.oneof(
    fc.constantFrom(...TROUBLES).map((cause) => ({ cause })),
    fc.integer({ min: 1, max: 500 }).map((taken) => ({ taken })),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.boolean(), (events, whole) => {
      let pace: Pace | null = null
      for (const each of events) {
        const before: number = pace?.concurrency ?? FREE
        if ('cause' in each) {
          const next = slower(pace, each.cause, whole)
          pace = next.pace
          expect(next.backOffMs).toBeGreaterThan(0)
          expect(next.backOffMs).toBeLessThanOrEqual(HOUR)
          expect(pace.concurrency).toBeLessThanOrEqual(before)
        } else if (pace !== null) pace = faster(pace, each.taken)
        const after: number = pace?.concurrency ?? FREE
        expect(after).toBeGreaterThanOrEqual(1)
        expect(after).toBeLessThanOrEqual(FREE)
        if ('taken' in each && pace !== null) expect(after - before).toBeLessThanOrEqual(1)
      }
    }),
  )
})
