/** Costly pages: one at a time. */
import { expect, test } from 'vitest'
import { createTurns } from '../../src/http/costly-pages.ts'

test('of work that is asked for at once one piece goes on after the other, and others have room between, failed or not', async () => {
  const inTurn = createTurns()
  const events: string[] = []
  const work = (name: string, fails = false) =>
    inTurn(async () => {
      events.push(`${name} begins`)
      await Promise.resolve()
      events.push(`${name} ends`)
      if (fails) throw new Error(name)
      return name
    })
  const asked = [work('a'), work('b', true), work('c')]
  // What is due in the event loop after a, and before c, as a request is that comes meanwhile.
  void asked[0]?.then(() => setImmediate(() => events.push('a request')))
  expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(events.filter((event) => event !== 'a request')).toEqual([
    'a begins',
    'a ends',
    'b begins',
    'b ends',
    'c begins',
    'c ends',
  ])
  expect(events.indexOf('a request')).toBeLessThan(events.indexOf('c begins'))
})
