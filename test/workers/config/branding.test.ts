/** The settings of one's own name. */
import { expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { faultsOf } from '../../support/fixtures/settings.ts'

test('the service’s name is its sender’s where the sender has none', () => {
  const own = { SERVICE_NAME: 'Lab Letters & Co <x>' }
  expect(readConfig(own)).toMatchObject({
    serviceName: own.SERVICE_NAME,
    mailFrom: { name: own.SERVICE_NAME, address: 'round@localhost' },
    operatorName: own.SERVICE_NAME,
  })
  expect(readConfig({ ...own, MAIL_FROM: 'lab@example.org' }).mailFrom.name).toBe(own.SERVICE_NAME)
  expect(readConfig({ ...own, MAIL_FROM: 'The Lab <lab@example.org>' })).toMatchObject({
    serviceName: own.SERVICE_NAME,
    mailFrom: { name: 'The Lab' },
    lettersFrom: { name: 'The Lab' },
  })
})

test.each(['Lab\r\nBcc: all@example.org', 'x'.repeat(41), 'lab@example.org', '—'])(
  'a name such as %j is a fault',
  (name) => {
    expect(faultsOf({ SERVICE_NAME: name })).toEqual([expect.stringMatching(/^SERVICE_NAME: /)])
  },
)
