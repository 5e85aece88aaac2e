/** Results that are kept by what they are made of. */
import { expect, test } from 'vitest'
import { keepByContent } from '../../../src/newsletter/publishing/by-content.ts'

test('a result is made once for a source and a choice, however many ask, and a failure is not kept', async () => {
  const keep = keepByContent<object, number>()
  const [one, other] = [{}, {}]
  let made = 0
  const make = async () => ++made
  expect(await Promise.all([keep(one, ['a'], make), keep(one, ['a'], make), keep(one, ['b'], make)])).toEqual([1, 1, 2])
  expect(await keep(other, ['a'], make)).toBe(3)
  expect(await keep(one, ['a'], make)).toBe(1)
  const fail = async () => Promise.reject(new Error('no'))
  await expect(keep(one, ['c'], fail)).rejects.toThrow('no')
  expect(await keep(one, ['c'], make)).toBe(4)
})
