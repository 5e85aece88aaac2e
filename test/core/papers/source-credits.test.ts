/** Whom the foot of pages thanks. */
import { expect, test } from 'vitest'
import { creditsOf } from '../../../src/core/papers/source-credits.ts'

const THANKS = 'Thank you to arXiv for use of its open access interoperability.'

test.each([
  [['huggingface'], `Titles, authors and abstracts come from arXiv, upvotes from Hugging Face. ${THANKS}`],
  [['file'], `Titles, authors and abstracts come from arXiv, upvotes from Hugging Face. ${THANKS}`],
  [['biorxiv'], 'Titles, authors and excerpts come from bioRxiv, which counts no votes.'],
  [['biorxiv', 'medrxiv'], 'Titles, authors and excerpts come from bioRxiv and medRxiv, which count no votes.'],
  [
    ['huggingface', 'biorxiv', 'medrxiv'],
    `Titles, authors and abstracts come from arXiv, bioRxiv and medRxiv, upvotes from Hugging Face. ${THANKS}`,
  ],
] as const)('the sources %j', (sources, credits) => {
  expect(creditsOf(sources)).toBe(credits)
})
