import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countOutcome, NO_STREAK } from '../../../src/core/sending/breaker.ts'
import type { OutcomeCause } from '../../../src/core/sending/smtp-outcome.ts'

const CAUSES: OutcomeCause[] = [
  'none',
  'recipient',
  'throttled',
  'limited',
  'away',
  'policy',
  'lost',
  'login',
  'sender',
  'tls',
  'relay',
]
const count = (outcomes: [string, OutcomeCause, string?][]) => {
  let streak = NO_STREAK
  return outcomes.map(([destination, cause, words], n) => {
    const refusal = words === undefined ? null : { words, reader: `reader${n}` }
    const counted = countOutcome(streak, destination, cause, refusal)
    streak = counted.streak
    return counted.throttle === null ? null : `${counted.throttle.route}: ${counted.throttle.cause}`
  })
}
const times = (n: number, cause: OutcomeCause, destination = 'a.org'): [string, OutcomeCause][] =>
  Array.from({ length: n }, () => [destination, cause])

describe('the breaker', () => {
  it.each<OutcomeCause>(['login', 'sender'])('closes the relay at once for a refused %s', (cause) => {
    expect(count([['a.org', cause]])).toEqual([`relay: ${cause}`])
  })

  it.each<OutcomeCause>(['relay', 'tls'])('closes the relay at the fifth in a row of %s', (cause) => {
    expect(count(times(5, cause))).toEqual([null, null, null, null, `relay: ${cause}`])
  })

  it('counts from the beginning when a mail is taken, or refused for its recipient alone', () => {
    for (const well of ['none', 'recipient'] as const)
      expect(count([...times(4, 'relay'), ['b.org', well], ...times(4, 'relay')])).toEqual(Array(9).fill(null))
  })

  it.each<OutcomeCause>(['away', 'policy', 'lost'])('closes a destination at its fifth in a row of %s', (cause) => {
    const mixed = times(5, cause).flatMap((one): [string, OutcomeCause][] => [one, ['well.org', 'none']])
    expect(count(mixed).filter((throttle) => throttle !== null)).toEqual([`destination: ${cause}`])
    expect(count(mixed)[8]).toBe(`destination: ${cause}`)
  })

  it('closes the relay when several destinations in a row refuse us by policy, and not when they are merely away', () => {
    const across = (cause: OutcomeCause) =>
      count(Array.from({ length: 10 }, (_, n): [string, OutcomeCause] => [`d${n % 3}.org`, cause]))
    expect(across('policy').at(-1)).toBe('relay: policy')
    expect(across('away')).toEqual(Array(10).fill(null))
  })

  it('closes the relay at the sixth refusal in the same words by three destinations, whatever they say', () => {
    const across = (destinations: number, words = 'user unknown'): [string, OutcomeCause, string][] =>
      Array.from({ length: 6 }, (_, n) => [`d${n % destinations}.org`, 'recipient', words])
    expect(count(across(3))).toEqual([null, null, null, null, null, 'relay: common'])
    // What is still in flight gets the same answer.
    expect(count([...across(3), ['d0.org', 'recipient', 'user unknown']]).at(-1)).toBe('relay: common')
    expect(count(across(2)).at(-1)).toBeNull()
    const others = across(3).map((one, n): [string, OutcomeCause, string] => [one[0], one[1], `word${n}`])
    expect(count(others).at(-1)).toBeNull()
    // Addresses that do not exist are among those that take mail.
    expect(count([...across(3).slice(1), ['d0.org', 'none'], ...across(3).slice(1)]).at(-1)).toBeNull()
    expect(count(across(3).map(([destination, , words]) => [destination, 'policy', words])).at(-1)).toBeNull()
  })

  it('slows a destination at once when it says that it is given too much', () => {
    expect(count([['a.org', 'throttled']])).toEqual(['destination: throttled'])
    expect(count([['a.org', 'limited']])).toEqual(['destination: limited'])
  })

  it('throttles nothing that never failed, and remembers no failure after all destinations took mail', () => {
    const outcome = fc.tuple(fc.constantFrom('a.org', 'b.org', 'c.org'), fc.constantFrom(...CAUSES))
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 80 }), (outcomes) => {
        let streak = NO_STREAK
        for (const [destination, cause] of outcomes) {
          const counted = countOutcome(streak, destination, cause)
          streak = counted.streak
          if (cause === 'none' || cause === 'recipient') expect(counted.throttle).toBeNull()
          else if (counted.throttle !== null) expect(counted.throttle.cause).toBe(cause)
        }
        for (const destination of ['a.org', 'b.org', 'c.org']) streak = countOutcome(streak, destination, 'none').streak
        expect(streak).toBe(NO_STREAK)
      }),
    )
  })
})
