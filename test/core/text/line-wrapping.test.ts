/** Lines of a plain-text mail. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { foldLines } from '../../../src/core/text/line-wrapping.ts'

test('folding loses no word and keeps the indentation', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-zé中]{1,90}$/u), { minLength: 1, maxLength: 60 }), (words) => {
      const folded = foldLines(`   ${words.join(' ')}`)
      expect(folded.replace(/\s/g, '')).toBe(words.join(''))
      for (const line of folded.split('\n')) {
        expect(line.startsWith('   ')).toBe(true)
        expect(line.length).toBeLessThanOrEqual(76)
      }
    }),
  )
})

test('a line that ends in a link stays whole', () => {
  const line = `View in browser: https://round.example.org/${'a'.repeat(100)}`
  expect(foldLines(line)).toBe(line)
})

test('an item hangs below its number', () => {
  expect(foldLines(`12. ${'word '.repeat(20)}`).split('\n')[1]).toMatch(/^ {4}word/)
})
