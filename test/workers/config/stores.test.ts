/** The settings of the database, of Redis and of the data folder. */
import { describe, expect, test } from 'vitest'
import { faultsOf } from '../../support/fixtures/settings.ts'

describe('the settings of the stores', () => {
  test.each([
    ['DATABASE_URL', 'not a url'],
    ['DATABASE_URL', 'mysql://host/db'],
    ['DATABASE_URL', 'postgres:///db'],
    ['REDIS_URL', 'localhost:6379'],
    ['REDIS_URL', 'http://localhost:6379'],
  ])('%s=%j is named, in one line that says what would be right', (name, value) => {
    const faults = faultsOf({ MAIL_FROM: 'round@example.org', [name]: value })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(new RegExp(`^${name}: [^\\n\\r]{20,}$`))
  })
})
