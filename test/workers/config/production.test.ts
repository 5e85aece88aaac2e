/** What production asks of the settings. */
import { describe, expect, test } from 'vitest'
import { faultsOf, PRODUCTION } from '../../support/fixtures/settings.ts'

describe('in production', () => {
  test('complete settings can be used', () => {
    expect(faultsOf(PRODUCTION)).toEqual([])
  })

  test('each setting that is missing is named, all at once', () => {
    expect(faultsOf({ NODE_ENV: 'production' }).map((fault) => fault.split(':')[0])).toEqual([
      'BASE_URL',
      'DATABASE_URL',
      'SECRET_KEY',
      'SMTP_URL',
      'POSTAL_ADDRESS',
      'MAIL_FROM',
    ])
  })

  test.each(
    (
      'http://round.example.org https://localhost https://round.localhost https://10.0.0.1 https://203.0.113.7 ' +
      'https://[::1] https://[2001:db8::1] https://intranet https://intranet. https://round.local https://round.lan ' +
      'https://round.internal https://round.corp.test https://round.home.arpa https://round.invalid https://co.uk'
    ).split(' '),
  )('links to %s are refused, since no reader could follow them', (baseUrl) => {
    const faults = faultsOf({ ...PRODUCTION, BASE_URL: baseUrl })
    expect(faults).toEqual([expect.stringMatching(/^BASE_URL: needed in production as a public https [^\n]+$/)])
  })

  test.each(['https://round.example.org', 'https://round.example.org:8443/news', 'https://café.example.co.uk'])(
    'links to %s are accepted',
    (baseUrl) => {
      expect(faultsOf({ ...PRODUCTION, BASE_URL: baseUrl })).toEqual([])
    },
  )

  test.each(['round@localhost', 'round@intranet', 'round@round.local', 'round@round.internal', 'round@10.0.0.1'])(
    'a sender %s, to whom nobody could reply, is named in one line',
    (address) => {
      for (const name of ['MAIL_FROM', 'LETTERS_FROM']) {
        const faults = faultsOf({ ...PRODUCTION, [name]: `Round <${address}>` })
        expect(faults.length).toBeGreaterThan(0)
        for (const fault of faults) expect(fault).toMatch(/^(?:MAIL|LETTERS)_FROM: [^\n]{20,}$/)
      }
    },
  )

  test('the mailbox of docker-compose.yml is no mail server', () => {
    const faults = faultsOf({ ...PRODUCTION, SMTP_URL: 'smtp://mailpit:1025?requireTLS=false' })
    expect(faults).toEqual([expect.stringMatching(/^SMTP_URL: needed in production/)])
  })

  test('the clock cannot be set, and the sample is no source', () => {
    expect(faultsOf({ ...PRODUCTION, CLOCK: '2026-04-14T05:00:00Z', PAPER_SOURCES: 'sample' })).toEqual([
      expect.stringMatching(/^CLOCK: /),
      expect.stringMatching(/^PAPER_SOURCES: /),
    ])
  })
})
