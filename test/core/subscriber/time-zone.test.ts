import { describe, expect, it } from 'vitest'
import { readTimeZone, TIME_ZONES } from '../../../src/core/subscriber/time-zone.ts'

describe('a time zone', () => {
  it.each([
    ['Europe/London', 'Europe/London'],
    ['europe/london', 'Europe/London'],
    ['Asia/Calcutta', 'Asia/Kolkata'],
    ['Asia/Kolkata', 'Asia/Kolkata'],
    ['Europe/Kiev', 'Europe/Kyiv'],
    ['America/Argentina/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
    ['utc', 'UTC'],
    ['Etc/UTC', 'UTC'],
  ])('%s is %s', (text, zone) => {
    expect(readTimeZone(text)).toBe(zone)
  })

  it.each([
    [''],
    ['London'],
    ['+02:00'],
    ['Europe/Lon don'],
    ['Europe/London\n'],
    ['../../etc/passwd'],
    ['a'.repeat(5000)],
  ])('%j is none', (text) => {
    expect(readTimeZone(text)).toBeNull()
  })

  it('is offered once, under a name that reads back as itself', () => {
    const names = TIME_ZONES.flatMap((group) => group.zones.map((zone) => zone.name))
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => readTimeZone(name) !== name)).toEqual([])
    expect(names).toContain('Asia/Kolkata')
    expect(TIME_ZONES.map((group) => group.region)).toEqual([...TIME_ZONES.map((group) => group.region)].sort())
  })
})
