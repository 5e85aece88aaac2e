/** The settings of addresses and ports. */
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { faultsOf } from '../../support/fixtures/settings.ts'

describe('the settings of addresses and ports', () => {
  test('there are admin pages, on this machine, where somebody could sign in to them', () => {
    const ADMIN_TOKEN = 'a'.repeat(32)
    expect(readConfig({ ADMIN_HOST: '0.0.0.0' }).admin).toBeNull()
    expect(readConfig({ ADMIN_TOKEN }).admin).toEqual({ host: '127.0.0.1', port: 8090, chosen: false })
    expect(readConfig({ ADMIN_PORT: '0' }).admin).toEqual({ host: '127.0.0.1', port: 0, chosen: true })
    const elsewhere = { ADMIN_TOKEN, ADMIN_HOST: '10.0.0.1', ADMIN_PORT: '9000' }
    expect(readConfig(elsewhere).admin).toEqual({ host: '10.0.0.1', port: 9000, chosen: true })
  })

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
    ['ADMIN_PORT', '8090/tcp'],
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
