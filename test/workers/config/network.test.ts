/** The settings of addresses and ports. */
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { faultsOf } from '../../support/fixtures/settings.ts'

describe('the settings of addresses and ports', () => {
  test('links lead to the port that is set', () => {
    expect(readConfig({ PORT: '3000' }).baseUrl).toBe('http://localhost:3000')
  })

  test.each([
    ['BASE_URL', 'round.example.org'],
    ['BASE_URL', 'ftp://round.example.org'],
    ['BASE_URL', 'https://round.example.org/?a=b'],
    ['PORT', 'http'],
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '80.5'],
    ['PORT', '0x50'],
    ['MAILBOX_PORT', '8025/tcp'],
    ['TRUST_PROXY', 'true'],
    ['TRUST_PROXY', '1'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', 'loopback'],
  ])('%s=%j is named, in one line that says what would be right', (name, value) => {
    const faults = faultsOf({ MAIL_FROM: 'round@example.org', [name]: value })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(new RegExp(`^${name}: [^\\n\\r]{20,}$`))
  })
})
