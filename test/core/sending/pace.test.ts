import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE } from '../../../src/core/calendar.ts'
import { FREE, faster, isSlow, MAILS_A_SEAT, type Pace, slower, type Trouble } from '../../../src/core/sending/pace.ts'

const TROUBLES: Trouble[] = ['throttled', 'limited', 'away', 'policy', 'lost', 'login', 'sender', 'tls', 'relay']

describe('a destination that is given too much', () => {
  it('gets half, and half again, and never nothing; the rests double up to an hour', () => {
    const seats: number[] = []
    const rests: number[] = []
    let pace: Pace | null = null
    for (let n = 0; n < 8; n++) {
      const next = slower(pace, 'throttled')
      pace = next.pace
      seats.push(pace.seats)
      rests.push(next.restMs / MINUTE)
    }
    expect(seats).toEqual([8, 4, 2, 1, 1, 1, 1, 1])
    expect(rests).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
  })

  it('rests ten minutes and begins with one mail at a time where Google says 4.7.28', () => {
    expect(slower(null, 'limited')).toEqual({
      pace: { trouble: 'limited', seats: 1, successes: 0, strikes: 1 },
      restMs: 10 * MINUTE,
    })
  })

  it('gets one more at a time for mails it takes, until it is like any other', () => {
    let pace: Pace | null = slower(null, 'limited').pace
    const seen: number[] = []
    let mails = 0
    while (pace !== null) {
      if (seen.at(-1) !== pace.seats) seen.push(pace.seats)
      pace = faster(pace, 1)
      mails++
    }
    expect(seen).toEqual(Array.from({ length: FREE }, (_, n) => n + 1))
    expect(mails).toBe(FREE * MAILS_A_SEAT)
  })
})

describe('a closed way', () => {
  it('is open as soon as one mail goes through', () => {
    for (const trouble of TROUBLES.filter((one) => !isSlow(one))) {
      const { pace } = slower(null, trouble)
      expect(pace.seats).toBe(1)
      expect(faster(pace, 1)).toBeNull()
    }
  })

  it('of a relay is looked at after half a minute, at last every five', () => {
    let pace: Pace | null = null
    const rests = Array.from({ length: 6 }, () => {
      const next = slower(pace, 'relay', true)
      pace = next.pace
      return next.restMs / MINUTE
    })
    expect(rests).toEqual([0.5, 1, 2, 4, 5, 5])
  })
})

it('whatever happens, seats stay within bounds, grow by one at most, and no rest is longer than an hour', () => {
  const event = fc.oneof(
    fc.constantFrom(...TROUBLES).map((trouble) => ({ trouble })),
    fc.integer({ min: 1, max: 500 }).map((taken) => ({ taken })),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.boolean(), (events, whole) => {
      let pace: Pace | null = null
      for (const each of events) {
        const before: number = pace?.seats ?? FREE
        if ('trouble' in each) {
          const next = slower(pace, each.trouble, whole)
          pace = next.pace
          expect(next.restMs).toBeGreaterThan(0)
          expect(next.restMs).toBeLessThanOrEqual(HOUR)
          expect(pace.seats).toBeLessThanOrEqual(before)
        } else if (pace !== null) pace = faster(pace, each.taken)
        const after: number = pace?.seats ?? FREE
        expect(after).toBeGreaterThanOrEqual(1)
        expect(after).toBeLessThanOrEqual(FREE)
        if ('taken' in each && pace !== null) expect(after - before).toBeLessThanOrEqual(1)
      }
    }),
  )
})
