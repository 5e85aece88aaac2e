/** The settings of mail that leaves. */
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { faultsOf } from '../../support/fixtures/settings.ts'

describe('the settings of senders', () => {
  test('letters come from the sender of the digests, or from one of their own', () => {
    expect(readConfig({ MAIL_FROM: 'round@example.org' }).lettersFrom).toEqual({
      name: 'Paper Round',
      address: 'round@example.org',
    })
    const own = readConfig({ MAIL_FROM: 'round@example.org', LETTERS_FROM: 'Paper Round <hello@letters.example.org>' })
    expect(own.mailFrom.address).toBe('round@example.org')
    expect(own.lettersFrom).toEqual({ name: 'Paper Round', address: 'hello@letters.example.org' })
  })

  test('as many connections to the relay are opened as it bears', () => {
    expect(readConfig({}).smtpConnections).toBe(18)
    expect(readConfig({ SMTP_CONNECTIONS: '3' }).smtpConnections).toBe(3)
  })

  test('a sender’s name may hold anything that people are called', () => {
    expect(readConfig({ MAIL_FROM: 'Ada’s Päper Round <ada@example.org>' }).mailFrom.name).toBe('Ada’s Päper Round')
  })

  test.each([
    ['SMTP_URL', 'mail.example.org:587'],
    ['SMTP_URL', 'http://mail.example.org'],
    ['SMTP_URL', 'smtp://mail.example.org:99999'],
    ['SMTP_CONNECTIONS', '0'],
    ['SMTP_CONNECTIONS', '2.5'],
    ['SMTP_CONNECTIONS', '101'],
    ['SMTP_CONNECTIONS', 'many'],
    ['ON_UNKNOWN', 'ignore'],
    ['MAIL_FROM', 'Paper Round'],
    ['LETTERS_FROM', 'Paper Round'],
    ['MAIL_FROM', 'Paper Round <round@example.org>, Other <other@example.org>'],
    ['MAIL_FROM', 'Paper\r\nBcc: all@example.org <round@example.org>'],
  ])('%s=%j is named, in one line that says what would be right', (name, value) => {
    const faults = faultsOf({ MAIL_FROM: 'round@example.org', [name]: value })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(new RegExp(`^${name}: [^\\n\\r]{20,}$`))
  })

  test('SMTP_URL needs a sender with it', () => {
    expect(faultsOf({ SMTP_URL: 'smtp://localhost:2525' })).toEqual([expect.stringMatching(/^MAIL_FROM: /)])
  })
})
