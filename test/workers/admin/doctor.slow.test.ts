/** `doctor` as an operator runs it. */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { visitSite } from '../../../src/adapters/checkup/site-visit.ts'
import type { Check } from '../../../src/core/checkup/check.ts'
import { checkOneClick, checkSite } from '../../../src/core/checkup/site.ts'
import { openTestDatabase } from '../../support/databases/postgres.ts'
import { openTestFolder, type TestFolder } from '../../support/fixtures/folder.ts'
import { runProgram } from '../../support/processes/program.ts'
import { createCertificate } from '../../support/servers/certificate.ts'
import { openNameServer } from '../../support/servers/name-server.ts'
import { startTestService } from '../../support/servers/service.ts'
import { openSmtpSink } from '../../support/servers/smtp-sink.ts'

const SECRETS = { login: 'p4ss-of-the-relay', key: 'c0ffee'.repeat(11).slice(0, 62), database: 'p4ss-of-nobody' }
let folder: TestFolder
beforeAll(async () => {
  folder = await openTestFolder(0o711)
})
afterAll(() => folder[Symbol.asyncDispose]())

const doctor = (words: string[], settings: Record<string, string>) =>
  runProgram('admin', ['doctor', ...words], { DATA_DIR: join(folder.path, 'data'), LOG_LEVEL: 'warn', ...settings })

const read = (stdout: string) => JSON.parse(stdout) as { ok: boolean; checks: Check[] }
const statusOf = (checks: Check[]) => Object.fromEntries(checks.map(({ name, status }) => [name, status]))

describe('doctor', () => {
  test('on the embedded default finds nothing wrong, creates nothing, and says that mail stays on this machine', async () => {
    const { code, stdout, stderr } = await doctor(['--json'], {})
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { ok, checks } = read(stdout)
    expect(ok).toBe(true)
    expect(checks.find(({ name }) => name === 'relay')).toMatchObject({
      status: 'not looked at',
      found: 'mail stays on this machine',
    })
    // Had the first run created the data folder, this one would find it.
    const again = await doctor([], {})
    expect(again.stdout).toContain('the embedded Postgres is made at the first start')
    expect(again.stdout).toMatch(/\nNothing is wrong; 0 to think about, \d in order\.\n$/)
  })

  test('of an installation checks everything over the network, sends nothing and shows no secret', async () => {
    const certificate = createCertificate(['127.0.0.1', 'round.localhost'], { days: 60 })
    await using database = await openTestDatabase()
    const login = { user: 'ada', password: SECRETS.login }
    await using relay = await openSmtpSink({ login, tls: certificate })
    await using names = await openNameServer({
      'example.org MX': [{ priority: 10, exchange: 'mx.example.org' }],
      'example.org TXT': [['v=spf1 ip4:198.51.100.1 -all']],
      '_dmarc.example.org TXT': [['v=DMARC1; p=none']],
      '7.113.0.203.in-addr.arpa PTR': ['mail.example.org'],
      'mail.example.org A': ['203.0.113.7'],
    })
    const site = createServer(certificate, (request, response) => {
      if (request.url === '/healthz') response.end('{"status":"ok"}')
      else response.writeHead(404).end('This link no longer works')
    })
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
    try {
      const port = (site.address() as AddressInfo).port
      const settings = {
        DATABASE_URL: database.url,
        SMTP_URL: `${relay.url.replace('://', `://ada:${SECRETS.login}@`)}?requireTLS=true&allowInvalidCertificate=true`,
        MAIL_FROM: 'Round <round@example.org>',
        POSTAL_ADDRESS: '1 Example Street, London',
        SECRET_KEY: `0a${SECRETS.key}`,
        BASE_URL: `https://127.0.0.1:${port}`,
      }
      const words = ['--sends-from', '203.0.113.7', '--name-server', names.address]
      const { code, stdout, stderr } = await doctor(['--json', ...words], settings)
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
      const { ok, checks } = read(stdout)
      expect(ok).toBe(false)
      expect(statusOf(checks)).toMatchObject({
        relay: 'ok',
        sender: 'ok',
        spf: 'wrong',
        dkim: 'warn',
        ptr: 'ok',
        site: 'wrong',
        database: 'ok',
        schema: 'ok',
        clock: 'ok',
        queue: 'ok',
      })
      expect(checks.find(({ name }) => name === 'spf')?.mend).toBe(
        'example.org. IN TXT "v=spf1 ip4:198.51.100.1 ip4:203.0.113.7 -all"',
      )
      expect(relay.count()).toBe(0)
      expect(relay.commands.join('\n')).not.toMatch(/MAIL FROM/i)
      for (const secret of Object.values(SECRETS)) expect(stdout).not.toContain(secret)
    } finally {
      site.closeAllConnections()
      site.close()
    }
  })

  test('checks the rest when database, relay, Redis, name server and site are all away', async () => {
    const { code, stdout, stderr } = await doctor(['--name-server', '127.0.0.1:1'], {
      DATABASE_URL: `postgres://ada:${SECRETS.database}@127.0.0.1:1/none`,
      REDIS_URL: `redis://:${SECRETS.database}@127.0.0.1:1`,
      SMTP_URL: `smtp://ada:${SECRETS.login}@127.0.0.1:1?requireTLS=true`,
      MAIL_FROM: 'Round <round@example.org>',
      BASE_URL: 'https://127.0.0.1:1',
    })
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    for (const name of ['relay', 'sender', 'spf', 'dmarc', 'site', 'database', 'queue'])
      expect(stdout).toMatch(new RegExp(`^wrong +${name} `, 'm'))
    // What is wrong comes first.
    expect(stdout.search(/^wrong/m)).toBeLessThan(stdout.search(/^(?:warn|not looked at|ok) /m))
    for (const secret of Object.values(SECRETS)) expect(stdout).not.toContain(secret)
  })

  test('recognises the service by its answers', async () => {
    await using service = await startTestService({ clock: '2026-04-15T12:00:00Z' })
    const visit = (path: string, method: 'GET' | 'POST') =>
      visitSite(`${service.url}${path}`, { method, withinMs: 10_000 })
    const seen = checkSite(service.url, await visit('/healthz', 'GET'), new Date())
    // Everything but https, which the service of a test does not have.
    expect(seen).toMatchObject({ found: `${service.url}/healthz answers, over http` })
    expect(checkOneClick(await visit(`/unsubscribe/${'A'.repeat(43)}`, 'POST'))).toMatchObject({ status: 'ok' })
  })

  test.each([
    [['--sends-from', 'mail.example.org'], 'is no IP address'],
    [['--name-server', 'nine.nine'], 'is no address of a name server'],
    [['--depth', '2'], 'unknown option'],
  ])('%j is refused with the reason', async (words, reason) => {
    const { code, stdout, stderr } = await doctor(words, {})
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(reason)
  })

  test('with settings that cannot be used ends like every command', async () => {
    const { code, stderr } = await doctor([], { NODE_ENV: 'production' })
    expect(code).toBe(2)
    expect(stderr.trim().split('\n').length).toBeGreaterThanOrEqual(6)
  })
})
