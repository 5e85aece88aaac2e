import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countOutcome, NO_STREAK } from '../../../src/core/sending/breaker.ts'
import type { Blame } from '../../../src/core/sending/smtp-outcome.ts'

const BLAMES: Blame[] = [
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
const count = (outcomes: [string, Blame][]) => {
  let streak = NO_STREAK
  return outcomes.map(([destination, blame]) => {
    const counted = countOutcome(streak, destination, blame)
    streak = counted.streak
    return counted.closing === null ? null : `${counted.closing.route}: ${counted.closing.cause}`
  })
}
const times = (n: number, blame: Blame, destination = 'a.org'): [string, Blame][] =>
  Array.from({ length: n }, () => [destination, blame])

describe('the breaker', () => {
  it.each<Blame>(['login', 'sender'])('closes the relay at once for a refused %s', (blame) => {
    expect(count([['a.org', blame]])).toEqual([`relay: ${blame}`])
  })

  it.each<Blame>(['relay', 'tls'])('closes the relay at the fifth in a row of %s', (blame) => {
    expect(count(times(5, blame))).toEqual([null, null, null, null, `relay: ${blame}`])
  })

  it('begins to count anew when a mail goes through, or is refused for its recipient alone', () => {
    for (const well of ['none', 'recipient'] as const)
      expect(count([...times(4, 'relay'), ['b.org', well], ...times(4, 'relay')])).toEqual(Array(9).fill(null))
  })

  it.each<Blame>(['away', 'policy', 'lost'])('closes a destination at its fifth in a row of %s', (blame) => {
    const mixed = times(5, blame).flatMap((one): [string, Blame][] => [one, ['well.org', 'none']])
    expect(count(mixed).filter((closing) => closing !== null)).toEqual([`destination: ${blame}`])
    expect(count(mixed)[8]).toBe(`destination: ${blame}`)
  })

  it('closes the relay when many destinations in a row refuse what is ours, and not when they are merely away', () => {
    const across = (blame: Blame) =>
      count(Array.from({ length: 10 }, (_, n): [string, Blame] => [`d${n % 3}.org`, blame]))
    expect(across('policy').at(-1)).toBe('relay: policy')
    expect(across('away')).toEqual(Array(10).fill(null))
  })

  it('slows a destination at once when it says it is given too much', () => {
    expect(count([['a.org', 'throttled']])).toEqual(['destination: throttled'])
    expect(count([['a.org', 'limited']])).toEqual(['destination: limited'])
  })

  it('closes nothing that never failed, and remembers nothing after all went well', () => {
    const outcome = fc.tuple(fc.constantFrom('a.org', 'b.org', 'c.org'), fc.constantFrom(...BLAMES))
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 80 }), (outcomes) => {
        let streak = NO_STREAK
        for (const [destination, blame] of outcomes) {
          const counted = countOutcome(streak, destination, blame)
          streak = counted.streak
          if (blame === 'none' || blame === 'recipient') expect(counted.closing).toBeNull()
          else if (counted.closing !== null) expect(counted.closing.cause).toBe(blame)
        }
        for (const destination of ['a.org', 'b.org', 'c.org']) streak = countOutcome(streak, destination, 'none').streak
        expect(streak).toBe(NO_STREAK)
      }),
    )
  })
})
