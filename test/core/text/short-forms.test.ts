/** Short forms whose explanation is not shown. */
import { describe, expect, test } from 'vitest'
import { excerptOf } from '../../../src/core/text/excerpt.ts'
import { withShortForms } from '../../../src/core/text/short-forms.ts'

const explained = (excerpt: string, abstract: string, title = 'On Maps', most = 450): string =>
  withShortForms(excerpt, title, abstract, most)

describe('a short form that the excerpt does not explain', () => {
  test.each([
    [
      'We train a PFM for towns.',
      'Paper folding machines (PFMs) tear.',
      'We train a paper folding machine (PFM) for towns.',
    ],
    [
      'We train PFMs for towns.',
      'A paper folding machine (PFM) tears.',
      'We train paper folding machines (PFMs) for towns.',
    ],
    ['We train a OPF.', 'The Outdoor Paper Folder (OPF) tears.', 'We train an Outdoor Paper Folder (OPF).'],
    ['A multi-agent SDF folds.', 'Spec-driven folding (SDF) tears.', 'A multi-agent spec-driven folding (SDF) folds.'],
    [
      'We test FOLD in towns.',
      'We call it FOLD (Fewer Open-ended Leaves Defined).',
      'We test FOLD (Fewer Open-ended Leaves Defined) in towns.',
    ],
  ])('stands beside what the abstract says it is: %s', (excerpt, abstract, shown) =>
    expect(explained(excerpt, abstract)).toBe(shown),
  )

  test.each([
    ['We train a PFM.', 'A thing of that kind (PFM) tears.'],
    ['We train a PFM.', 'Machines tear.'],
    ['We present paper folding machines (PFMs), and train a PFM.', 'Paper folding machines (PFMs) tear.'],
    ['We train an LLM.', 'A large language model (LLM) tears.'],
  ])('is left as it is where nothing says, it is said already or everybody knows: %s %s', (excerpt, abstract) =>
    expect(explained(excerpt, abstract)).toBe(excerpt),
  )

  test('is left as it is where the title has its words, or there is no room', () => {
    const abstract = 'Paper folding machines (PFMs) tear.'
    expect(explained('We train a PFM.', abstract, 'On Paper Folding Machines')).toBe('We train a PFM.')
    expect(explained('We train a PFM.', abstract, 'On Maps', 30)).toBe('We train a PFM.')
  })

  test('is explained where the title has nothing but it', () => {
    expect(explained('We mend the OPF-t bias.', 'An Open Paper Fold-tear (OPF-t) bias.', 'On the OPF-t Bias')).toBe(
      'We mend the Open Paper Fold-tear (OPF-t) bias.',
    )
    expect(explained('OPF folds.', 'Open Paper Folds (OPF).', 'OPF: Maps that Fold')).toBe('OPF folds.')
  })

  test('is not introduced by a longer name that begins so, nor by being called proposed', () => {
    const abstract = 'Paper folding machines (PFMs) tear.'
    const long = 'paper folding machine (PFM)'
    expect(explained('We introduce PFM-Bench to test a PFM.', abstract)).toBe(
      `We introduce PFM-Bench to test a ${long}.`,
    )
    expect(explained('The proposed PFM folds.', abstract)).toBe(`The proposed ${long} folds.`)
    expect(explained('We propose PFM to fold.', abstract)).toBe('We propose PFM to fold.')
  })

  test('is explained in an excerpt', () => {
    const abstract =
      'Readers want Paper Folding Models(PFMs) for towns. We propose HiFold, a strong PFM that folds maps by itself.'
    expect(excerptOf({ title: 'HiFold: Maps', abstract })).toBe(
      'We propose HiFold, a strong Paper Folding Model (PFM) that folds maps by itself.',
    )
  })
})
