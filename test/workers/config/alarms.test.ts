/** The settings of alarms. */
import { expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { faultsOf } from '../../support/fixtures/settings.ts'

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const URL = 'https://hooks.example.org/paper-round'

test('without settings nobody is told', () => {
  expect(readConfig({})).toMatchObject({ operatorEmail: null, alarmWebhook: null })
})

test('an address, and a URL with its secret, are told', () => {
  const settings = { OPERATOR_EMAIL: 'ops@example.org', ALARM_WEBHOOK_URL: URL, ALARM_WEBHOOK_SECRET: SECRET }
  expect(readConfig(settings)).toMatchObject({
    operatorEmail: 'ops@example.org',
    alarmWebhook: { url: URL, key: Buffer.alloc(32, 1) },
  })
})

test.each([
  [{ OPERATOR_EMAIL: 'nobody' }, /^OPERATOR_EMAIL: is not an address/],
  [{ ALARM_WEBHOOK_URL: 'ftp://example.org', ALARM_WEBHOOK_SECRET: SECRET }, /^ALARM_WEBHOOK_URL: is not a URL/],
  [{ ALARM_WEBHOOK_URL: URL }, /^ALARM_WEBHOOK_SECRET: needed with ALARM_WEBHOOK_URL/],
  [{ ALARM_WEBHOOK_SECRET: SECRET }, /^ALARM_WEBHOOK_URL: needed with ALARM_WEBHOOK_SECRET/],
  [{ ALARM_WEBHOOK_URL: URL, ALARM_WEBHOOK_SECRET: 'hunter2' }, /^ALARM_WEBHOOK_SECRET: write it as whsec_/],
])('%j is named, without the secret', (settings, expected) => {
  const faults = faultsOf(settings)
  expect(faults).toEqual([expect.stringMatching(expected)])
  expect(faults[0]).not.toContain('hunter2')
})
