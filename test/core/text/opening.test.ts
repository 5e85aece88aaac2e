/** How a sentence opens when it is shown by itself. */
import { expect, test } from 'vitest'
import { dangles } from '../../../src/core/text/opening.ts'

test.each([
  ['Yet progress is held back by the lack of tools.', true],
  ['However it is built, a tool breaks.', true],
  ['But tools break.', true],
  ['Yeti is a tool for tests.', false],
  ['Sober models are tested.', false],
  ['This paper tests tools.', false],
])('a sentence that connects to what stood before dangles, whatever its case: %s', (sentence, expected) => {
  expect(dangles(sentence)).toBe(expected)
  expect(dangles(sentence.toLowerCase())).toBe(expected)
})
