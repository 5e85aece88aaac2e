/** What a release says of itself: the part of CHANGELOG.md for its version, and nothing where it is missing. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readNotes } from '../../.ci/release-notes.ts'

const CHANGELOG =
  '# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- One.\n\n## [0.1.0] - 2026-10-01\n\n- First.\n'

test('the notes of a version are its part of the changelog, without its heading', () => {
  expect(readNotes(CHANGELOG, '0.2.0')).toBe('### Added\n\n- One.')
  expect(readNotes(CHANGELOG, '0.1.0')).toBe('- First.')
})

test('a version without a part, with an empty one, or not released has none', () => {
  expect(readNotes(CHANGELOG, '0.3.0')).toBeNull()
  expect(readNotes(CHANGELOG, '0.2')).toBeNull()
  expect(readNotes('## [0.2.0] - 2026-12-01\n\n## [0.1.0] - 2026-10-01\n', '0.2.0')).toBeNull()
})

test('CHANGELOG.md has a part for what is not released, and known headings only', async () => {
  const text = await readFile(join(import.meta.dirname, '../../CHANGELOG.md'), 'utf8')
  expect(text).toMatch(/^## \[Unreleased\]$/m)
  const known = ['To do', 'Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']
  expect([...text.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading)).toEqual(
    expect.not.arrayContaining([expect.not.stringMatching(new RegExp(`^(?:${known.join('|')})$`))]),
  )
})
