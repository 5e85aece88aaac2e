import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../../workers/config/config.ts'
import { openTestFolder } from '../../support/fixtures/folder.ts'
import { createCertificate } from '../../support/servers/certificate.ts'

describe('SMTP_CA_FILE', () => {
  const [first, second] = [
    createCertificate(['ca.example']).cert.trim(),
    createCertificate(['other.example']).cert.trim(),
  ]

  test('holds certificates, or names a file of them', async () => {
    await using folder = await openTestFolder()
    const path = join(folder.path, 'ca.pem')
    await writeFile(path, `subject=ca.example\n${first}\n\n${second}\n`)
    expect(readConfig({ SMTP_CA_FILE: path }).smtpAuthority).toBe(`${first}\n${second}`)
    expect(readConfig({ SMTP_CA_FILE: first.replaceAll('\n', '\\n') }).smtpAuthority).toBe(first)
  })

  test.each([
    ['/no/such/file.pem', 'SMTP_CA_FILE: is neither a certificate in PEM nor the path of a file that can be read'],
    ['-----BEGIN PRIVATE KEY-----', 'SMTP_CA_FILE: holds no certificate in PEM'],
    [first.replace(/(?<=KEY|CATE-----\n)..../, 'AAAA'), 'SMTP_CA_FILE: holds a certificate that cannot be read'],
  ])('is refused in words: %s', (value, sentence) => {
    expect(() => readConfig({ SMTP_CA_FILE: value })).toThrow(sentence)
  })
})
