/** The settings of sign-ups. */
import { expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { faultsOf, PRODUCTION } from '../../support/fixtures/settings.ts'

test('limits are read, what is left out keeps its own, and nonsense is named', () => {
  const read = (text: string) => readConfig({ SIGN_UPS_PER_HOUR: text }).signUpLimits
  expect(read('all=5000, client=3')).toEqual({ client: 3, domain: 20, all: 5000 })
  for (const wrong of ['10', 'all=0', 'all=-1', 'everybody=3', 'all=3,', 'all=1e3'])
    expect(faultsOf({ SIGN_UPS_PER_HOUR: wrong })).toEqual([expect.stringContaining('SIGN_UPS_PER_HOUR: write it as')])
})

test('domains are looked up in production, and elsewhere only where it is set', () => {
  const read = (settings: Record<string, string>) => readConfig(settings).domainServers
  expect(read({})).toBeNull()
  expect(read({ SMTP_URL: 'smtp://127.0.0.1:25', MAIL_FROM: 'round@example.org' })).toBeNull()
  expect(read(PRODUCTION)).toEqual([])
  expect(read({ ...PRODUCTION, DOMAIN_LOOKUPS: 'off' })).toBeNull()
  expect(read({ DOMAIN_LOOKUPS: 'on' })).toEqual([])
  expect(read({ DOMAIN_LOOKUPS: '9.9.9.9, 127.0.0.1:5353, [::1]:53' })).toEqual([
    '9.9.9.9',
    '127.0.0.1:5353',
    '[::1]:53',
  ])
  for (const wrong of ['yes', '9.9.9', 'dns.example.org', '9.9.9.9;1.1.1.1'])
    expect(faultsOf({ DOMAIN_LOOKUPS: wrong })).toEqual([expect.stringContaining('DOMAIN_LOOKUPS: is on, off, or')])
})
