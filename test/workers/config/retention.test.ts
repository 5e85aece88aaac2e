/** The settings of how long personal data is kept, and of who answers for it. */
import { expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { faultsOf } from '../../support/fixtures/settings.ts'

test('are days', () => {
  const settings = { KEEP_UNCONFIRMED: '14', KEEP_LEAVERS: '1', KEEP_CONSENT: '3650', KEEP_CONSENT_CLIENTS: '30' }
  expect(readConfig(settings).retention).toEqual({ unconfirmed: 14, leavers: 1, consent: 3650, clients: 30 })
})

test.each([
  [{ KEEP_UNCONFIRMED: '6' }, 'KEEP_UNCONFIRMED: is a number of days from 7 to 90'],
  [{ KEEP_LEAVERS: '0' }, 'KEEP_LEAVERS: is a number of days from 1 to 3650'],
  [{ KEEP_LEAVERS: 'ever' }, 'KEEP_LEAVERS: is a number of days from 1 to 3650'],
  [{ KEEP_CONSENT: '3651' }, 'KEEP_CONSENT: is a number of days from 1 to 3650'],
  [{ KEEP_CONSENT_CLIENTS: '-1' }, 'KEEP_CONSENT_CLIENTS: is a number of days from 1 to 1095'],
  [{ KEEP_CONSENT: '20' }, 'KEEP_CONSENT: is at least KEEP_LEAVERS, which is 28: both count from when somebody leaves'],
])('%j is named', (settings, fault) => {
  expect(faultsOf(settings)).toEqual([fault])
})

test('who runs the service and where to write are those of the sender unless they are set', () => {
  const sender = { MAIL_FROM: 'The Round <round@example.org>' }
  expect(readConfig(sender)).toMatchObject({ operatorName: 'The Round', contactEmail: 'round@example.org' })
  const set = { ...sender, OPERATOR_NAME: 'Round Society', CONTACT_EMAIL: 'privacy@example.org' }
  expect(readConfig(set)).toMatchObject({ operatorName: 'Round Society', contactEmail: 'privacy@example.org' })
  expect(faultsOf({ CONTACT_EMAIL: 'nobody' }).join()).toMatch(/^CONTACT_EMAIL: is not an address/)
})
