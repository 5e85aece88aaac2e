/** The settings of DKIM. */
import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { openTestFolder } from '../../support/fixtures/folder.ts'
import { faultsOf } from '../../support/fixtures/settings.ts'

describe('the settings of DKIM', () => {
  const pem = generateKeyPairSync('rsa', { modulusLength: 1024 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
  const settings = {
    MAIL_FROM: 'Paper Round <round@news.example.org>',
    DKIM_DOMAIN: 'example.org',
    DKIM_SELECTOR: 'round2026',
    DKIM_PRIVATE_KEY: pem,
  }

  test('take the key itself, the key in one line, or the path of its file', async () => {
    await using folder = await openTestFolder()
    const file = join(folder.path, 'dkim.pem')
    await writeFile(file, pem)
    for (const key of [pem, pem.replaceAll('\n', '\\n'), file]) {
      const { dkim } = readConfig({ ...settings, DKIM_PRIVATE_KEY: key })
      expect(dkim).toMatchObject({ domain: 'example.org', selector: 'round2026' })
      expect(dkim?.privateKey.export({ type: 'pkcs8', format: 'pem' })).toBe(pem)
    }
  })

  test.each(['DKIM_DOMAIN', 'DKIM_SELECTOR', 'DKIM_PRIVATE_KEY'])('without %s are not complete', (name) => {
    expect(faultsOf({ ...settings, [name]: '' })).toEqual([expect.stringMatching(new RegExp(`^${name}: needed`))])
  })

  test('sign letters at a domain of their own, with the same key, or else at the same one', () => {
    const apart = { ...settings, LETTERS_FROM: 'hello@letters.example.net', LETTERS_DKIM_DOMAIN: 'letters.example.net' }
    expect(readConfig(apart)).toMatchObject({
      dkim: { domain: 'example.org', selector: 'round2026' },
      lettersDkim: { domain: 'letters.example.net', selector: 'round2026' },
    })
    expect(readConfig(settings).lettersDkim).toEqual(readConfig(settings).dkim)
    expect(faultsOf({ ...apart, LETTERS_DKIM_DOMAIN: '' })).toEqual([
      expect.stringMatching(/^DKIM_DOMAIN: is not aligned with letters\.example\.net, the domain of LETTERS_FROM/),
    ])
    expect(faultsOf({ ...settings, LETTERS_DKIM_DOMAIN: 'letters.example.org' })).toEqual([
      expect.stringMatching(/^LETTERS_DKIM_DOMAIN: goes with LETTERS_FROM/),
    ])
    expect(faultsOf({ ...apart, LETTERS_DKIM_DOMAIN: 'example.org' })).toEqual([
      expect.stringMatching(/^LETTERS_DKIM_DOMAIN: is not aligned with letters\.example\.net/),
    ])
  })

  test.each([
    ['DKIM_DOMAIN', 'example.net', /not aligned with news\.example\.org/],
    ['DKIM_DOMAIN', 'org', /not aligned/],
    ['DKIM_DOMAIN', 'https://example.org', /not a domain/],
    ['DKIM_SELECTOR', 'round; d=evil.example', /not a selector/],
    ['DKIM_PRIVATE_KEY', '/no/such/file.pem', /neither a private key/],
    ['DKIM_PRIVATE_KEY', pem.slice(0, 200), /no private key/],
    ['DKIM_PRIVATE_KEY', pem.split('\n')[1] ?? '', /neither a private key/],
  ])('%s=%j is named, and no key is repeated', (name, value, reason) => {
    const faults = faultsOf({ ...settings, [name]: value })
    expect(faults).toEqual([expect.stringMatching(reason)])
    expect(faults[0]).toMatch(new RegExp(`^${name}: `))
    expect(faults[0]).not.toContain(pem.split('\n')[1]?.slice(0, 20))
  })

  test.each(['example.org', 'news.example.org', 'mail.example.org'])(
    '%s is aligned with news.example.org',
    (domain) => {
      expect(faultsOf({ ...settings, DKIM_DOMAIN: domain })).toEqual([])
    },
  )
})
