import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE } from '../../../src/core/calendar.ts'
import {
  allowanceOf,
  foreseeEnd,
  type SendLimit,
  slotsOf,
  stepWarmUp,
  type WarmUp,
} from '../../../src/core/sending/send-limit.ts'

const NOW = new Date('2026-04-14T06:00:00Z')
const later = (ms: number) => new Date(NOW.getTime() + ms)
const NONE: SendLimit = { perSecond: null, perHour: null, perDay: null, warmUp: null }
const step = (limit: number, sent: number): WarmUp => ({ limit, growth: 2, until: 800, since: NOW, sent })

describe('a warm-up', () => {
  it('goes on to its next step after a day that was used to half at least, and ends after the last', () => {
    expect(stepWarmUp(step(200, 200), later(DAY - 1))).toEqual(step(200, 200))
    expect(stepWarmUp(step(200, 100), later(DAY))).toEqual({ ...step(400, 0), since: later(DAY) })
    expect(stepWarmUp(step(200, 99), later(DAY))).toEqual({ ...step(200, 0), since: later(DAY) })
    expect(stepWarmUp(step(800, 800), later(DAY))).toBeNull()
  })

  it('goes on from the day on which there is mail again after a pause', () => {
    expect(stepWarmUp(step(200, 200), later(5 * DAY))).toEqual({ ...step(400, 0), since: later(5 * DAY) })
  })

  it('limits digests alone', () => {
    const limit = { ...NONE, warmUp: step(200, 0) }
    expect(allowanceOf(limit, { hour: 150, day: 150 }, 'deliveries')).toBe(50)
    expect(allowanceOf(limit, { hour: 250, day: 250 }, 'deliveries')).toBe(0)
    expect(allowanceOf(limit, { hour: 250, day: 250 }, 'letters')).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('caps', () => {
  it('leave what is not used of the narrower window, and a twentieth to letters', () => {
    const limit = { ...NONE, perHour: 100, perDay: 1_000 }
    expect(allowanceOf(limit, { hour: 20, day: 20 }, 'deliveries')).toBe(75)
    expect(allowanceOf(limit, { hour: 20, day: 20 }, 'letters')).toBe(80)
    expect(allowanceOf(limit, { hour: 0, day: 940 }, 'deliveries')).toBe(10)
    expect(allowanceOf({ ...NONE, perDay: 10 }, { hour: 0, day: 0 }, 'deliveries')).toBe(10)
  })

  it('a second give each mail a slot of its own, in the second that comes', () => {
    expect(slotsOf(4, -500, 10)).toEqual({ begin: [0, 250, 500, 750], next: 1_000 })
    expect(slotsOf(4, 600, 10)).toEqual({ begin: [600, 850], next: 1_100 })
    expect(slotsOf(4, 1_000, 10)).toEqual({ begin: [], next: 1_000 })
    expect(slotsOf(0.2, 0, 10)).toEqual({ begin: [0], next: 5_000 })
  })
})

describe('what is foreseen', () => {
  it('follows the windows and the steps of a warm-up', () => {
    const nothing = new Map<number, number>()
    expect(foreseeEnd({ ...NONE, perDay: 10 }, nothing, 10, NOW)).toEqual(NOW)
    expect(foreseeEnd({ ...NONE, perDay: 10 }, nothing, 11, NOW)).toEqual(later(DAY + MINUTE))
    expect(foreseeEnd({ ...NONE, perDay: 10 }, new Map([[23 * 60, 10]]), 1, NOW)).toEqual(later(HOUR + MINUTE))
    expect(foreseeEnd({ ...NONE, perHour: 10 }, nothing, 25, NOW)).toEqual(later(2 * (HOUR + MINUTE)))
    expect(foreseeEnd({ ...NONE, perSecond: 1 }, nothing, 3_600, NOW)).toEqual(later(59 * MINUTE))
    expect(foreseeEnd({ ...NONE, warmUp: step(200, 0) }, nothing, 1_400, NOW)).toEqual(later(2 * DAY + 2 * MINUTE))
    expect(foreseeEnd({ ...NONE, perDay: 1 }, nothing, 400, NOW)).toBeNull()
  })

  it('never has more in any hour or day than the caps allow', () => {
    fc.assert(
      fc.property(
        fc.record({ perHour: fc.integer({ min: 1, max: 50 }), perDay: fc.integer({ min: 1, max: 200 }) }),
        fc.integer({ min: 1, max: 300 }),
        (caps, pending) => {
          const end = foreseeEnd({ ...NONE, ...caps }, new Map(), pending, NOW)
          const ms = (end?.getTime() ?? 0) - NOW.getTime()
          const mostIn = (cap: number, window: number) => cap * (Math.floor(ms / window) + 1)
          expect(pending).toBeLessThanOrEqual(Math.min(mostIn(caps.perHour, HOUR), mostIn(caps.perDay, DAY)))
        },
      ),
      { numRuns: 40 },
    )
  })
})
