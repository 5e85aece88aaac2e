/** Macros of the authors' own, in what readers see. */
import { expect, test } from 'vitest'
import { excerptOfPaper } from '../../../src/core/papers/paper-excerpt.ts'
import { nameOwnMacros } from '../../../src/core/text/own-macros.ts'

test.each([
  ['We present \\ours, a map.', 'FoldNet: Maps That Fold', 'We present FoldNet, a map.'],
  [
    'We present \\ours, a map. \\method~folds. {\\name} tears.',
    'Fold²: Maps',
    'We present Fold², a map. Fold²~folds. {Fold²} tears.',
  ],
  [
    'We present \\foldnetpro{}, built on \\foldnet.',
    'FoldNet2.5-Pro: Maps That Fold',
    'We present FoldNet2.5-Pro, built on FoldNet.',
  ],
  ['We fold by \\OurMethod. \\modelName folds.', 'On Folding Maps', 'We fold by our method. Our method folds.'],
  ['We fold \\benchmarkName.', 'On Folding Maps', 'We fold our benchmark.'],
  ['\\textbf{Maps} of \\alpha and \\method{x}.', 'FoldNet: Maps', '\\textbf{Maps} of \\alpha and \\method{x}.'],
])('are the name in the title, or said in words: %s', (abstract, title, shown) =>
  expect(nameOwnMacros(abstract, title)).toBe(shown),
)

test('are named in the excerpt of a paper', () =>
  expect(
    excerptOfPaper({
      title: 'FoldNet: Maps That Fold',
      abstract: 'Maps tear. We present \\ours, a map that folds itself.',
    }),
  ).toBe('We present FoldNet, a map that folds itself.'))
