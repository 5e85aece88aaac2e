/** The line about empty digests. */
import { expect, test } from 'vitest'
import { emptyDigestLine } from '../../../src/core/digest/empty-digest.ts'

test('names one day, or the first and the last, and why nothing came', () => {
  expect(emptyDigestLine('2026-04-11', '2026-04-11', 'no new papers matched what you follow')).toBe(
    'No digest on Saturday 11 April: no new papers matched what you follow.',
  )
  expect(emptyDigestLine('2026-04-11', '2026-04-12', 'the source of papers could not be read')).toBe(
    'No digest from Saturday 11 to Sunday 12 April: the source of papers could not be read.',
  )
})
