/** A disk that runs full under the service: it refuses in words before harm is done, says so, and goes on by itself. */
import { execFile } from 'node:child_process'
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { openSite } from '../support/browser/http-client.ts'
import { createMail } from '../support/browser/mailbox-reader.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { runProgram, startProgram } from '../support/processes/program.ts'
import { startTestService } from '../support/servers/service.ts'

const run = promisify(execFile)
const MEGABYTE = 1_000_000

/** A file system of some megabytes in memory at a folder, until the end of the test; `null` where it cannot be mounted. */
const mountSmall = async (folder: string, megabytes: number): Promise<AsyncDisposable | null> => {
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=711`, 'tmpfs', folder]).then(
    () => true,
    () => false,
  )
  return mounted ? { [Symbol.asyncDispose]: async () => void (await run('umount', ['-l', folder])) } : null
}
const probe = join(tmpdir(), `paper-round-mount-${process.pid}`)
await mkdir(probe)
const mounted = await mountSmall(probe, 1)
await mounted?.[Symbol.asyncDispose]()
await rm(probe, { recursive: true })
const canMount = mounted !== null

test('a database server that says that its disk is full makes sign-ups 503 and the process not ready, for as long as it does', async () => {
  await using service = await startTestService({ clock: '2026-04-14T05:00:00Z' })
  const db = openDatabase(service.databaseUrl, { connections: 1, name: 'test', onError: () => undefined })
  await sql`create function refuse() returns trigger language plpgsql as
    $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$`.execute(db)
  await sql`create trigger full_disk before insert on sign_ups execute function refuse()`.execute(db)
  const form = { email: 'ada@example.org', topics: 'code', frequency: 'daily', timezone: 'Europe/London' }
  const refused = await openSite(service.url).post('/subscribe', form)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '600'])
  const ready = await fetch(`${service.url}/readyz`)
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: 'not ready', reason: expect.stringContaining('the database server says that its disk is full') },
  ])
  await sql`drop trigger full_disk on sign_ups`.execute(db)
  await db.destroy()
  await expect.poll(async () => (await fetch(`${service.url}/readyz`)).status).toBe(200)
  expect((await openSite(service.url).post('/subscribe', form)).status).toBe(200)
  await service.mail.waitFor(form.email, 1)
})

describe(`on a disk that is nearly full${canMount ? '' : ' (skipped: this machine mounts no tmpfs for us)'}`, () => {
  test.skipIf(!canMount)(
    'sign-ups are refused in words, /readyz and doctor tell, and it goes on once there is space',
    async () => {
      await using folder = await openTestFolder(0o711)
      const data = join(folder.path, 'data')
      await mkdir(data, { mode: 0o711 })
      await using _disk = await mountSmall(data, 400)
      const settings = {
        ...{ PORT: '0', MAILBOX_PORT: '0', PAPER_SOURCES: 'sample', LOG_LEVEL: 'warn' },
        ...{ DATA_DIR: data, MIN_FREE_MB: '100' },
      }
      await using service = startProgram('main', [], settings)
      const { site: url, mailbox } = announcedIn(await service.said('is ready'))
      const form = { topics: 'diffusion-lm', frequency: 'daily', timezone: 'Europe/London' }
      const { bavail, bsize } = await statfs(data)
      const filler = join(data, 'filler')
      await writeFile(filler, Buffer.alloc(bavail * bsize - 50 * MEGABYTE))

      const refused = await openSite(url).post('/subscribe', { ...form, email: 'ada@example.org' })
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '600'])
      expect(refused.text).toContain('Our disk is nearly full, so nothing was saved.')
      const ready = await fetch(`${url}/readyz`)
      expect([ready.status, await ready.json()]).toEqual([
        503,
        { status: 'not ready', reason: expect.stringMatching(/^\d\d MB are free in DATA_DIR; at least 100 must be/) },
      ])
      const { stdout } = await runProgram('admin', ['doctor', '--json'], settings)
      const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; mend: string }[] }
      expect(checks.find(({ name }) => name === 'disk space')).toMatchObject({
        status: 'wrong',
        mend: expect.stringContaining('MIN_FREE_MB'),
      })

      await rm(filler)
      expect((await openSite(url).post('/subscribe', { ...form, email: 'ada@example.org' })).status).toBe(200)
      await createMail(mailbox).waitFor('ada@example.org', 1)
      expect((await fetch(`${url}/readyz`)).status).toBe(200)
      expect(await service.end('SIGTERM')).toMatchObject({ code: 0 })
    },
  )
})
