/** How a sentence opens when it is shown by itself. */
import { expect, test } from 'vitest'
import { dangles, withoutOpening } from '../../../src/core/text/opening.ts'

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

test.each([
  ['In this work, we address this gap by introducing FoldNet, a map.', 'We introduce FoldNet, a map.'],
  ['This paper takes a step toward this goal by building FoldNet.', 'This paper builds FoldNet.'],
  ['We bridge this gap with FoldNet, the first map that folds.', 'We present FoldNet, the first map that folds.'],
  ['This work tackles these hard challenges via FoldNet, a map.', 'This work presents FoldNet, a map.'],
  ['We organize these findings with FOLD (Flat Old Leaves), a map.', 'We present FOLD (Flat Old Leaves), a map.'],
  ['We address this challenge by folding maps and propose FoldNet, a map.', 'We … propose FoldNet, a map.'],
  ['We abstract away from these map differences and instead focus on folds.', 'We … focus on folds.'],
  ['We then build FoldNet, a map.', 'We build FoldNet, a map.'],
  ['We instead fold maps by hand in towns.', 'We fold maps by hand in towns.'],
  ['To uncover the underlying cause, we fold maps in towns.', 'We fold maps in towns.'],
  ['To understand why, we fold maps in towns.', 'We fold maps in towns.'],
  ['In the first stage, we fold maps in towns.', 'We fold maps in towns.'],
  ['As an initial step to address this gap in towns, we present FoldNet.', 'We present FoldNet.'],
  ['To address these limitations and help readers, this paper folds maps.', 'This paper folds maps.'],
  ['To this aim, we collect maps in towns.', 'We collect maps in towns.'],
])('what is offered for something told before stands without it: %s', (sentence, shown) => {
  expect(withoutOpening(sentence)).toBe(shown)
  expect(withoutOpening(shown)).toBe(shown)
})

test.each([
  'We address the gap between maps and towns by introducing FoldNet.',
  'We show that this gap grows in towns by the year.',
  'To study whether these models can count, we present FoldNet.',
  'To uncover the cause of tearing in maps, we present FoldNet.',
  'foldnet is a map that folds itself.',
])('what a sentence says itself stays: %s', (sentence) => expect(withoutOpening(sentence)).toBe(sentence))
