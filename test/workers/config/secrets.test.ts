/** The settings that nobody else may know. */
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { faultsOf, PRODUCTION } from '../../support/fixtures/settings.ts'

describe('the secrets', () => {
  test('are the key and its predecessors, the newest first', () => {
    const previous = `${'b'.repeat(64)}, ${'c'.repeat(64)}`
    const { secretKeys } = readConfig({ ...PRODUCTION, SECRET_KEY_PREVIOUS: previous })
    expect(secretKeys?.map((key) => key.toString('hex')[0])).toEqual(['a', 'b', 'c'])
  })

  test.each([
    ['ADMIN_TOKEN', 'hunter2'],
    ['SECRET_KEY', 'hunter2'],
    ['SECRET_KEY_PREVIOUS', 'b'.repeat(64)],
  ])('%s=%j is named, in one line that says what would be right', (name, value) => {
    const faults = faultsOf({ MAIL_FROM: 'round@example.org', [name]: value })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(new RegExp(`^${name}: [^\\n\\r]{20,}$`))
  })
})
