/** `backup`, `restore` and `service` as an operator runs them: files, secret keys, and a service that comes up held. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openTestDatabase } from '../../support/databases/postgres.ts'
import { openTestFolder } from '../../support/fixtures/folder.ts'
import { openSendingNewsletter } from '../../support/fixtures/sending-newsletter.ts'
import { runProgram, startProgram } from '../../support/processes/program.ts'

const KEY = '7'.repeat(64)
const OTHER = '8'.repeat(64)

test('a backup comes back from its file with its key alone, whole or not at all, and is held until it is resumed', async () => {
  await using newsletter = await openSendingNewsletter(2)
  await using empty = await openTestDatabase({ empty: true })
  await using folder = await openTestFolder()
  const on = (url: string, ...words: string[]) =>
    runProgram('admin', words, { DATABASE_URL: url, SECRET_KEY: KEY, DATA_DIR: folder.path, NODE_ENV: 'development' })
  const file = join(folder.path, 'paper-round.backup')

  const made = await on(newsletter.url, 'backup', file)
  expect(made).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^Backup of .* MB in .*\n.*SECRET_KEY/),
  })
  // It holds every address.
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await on(newsletter.url, 'backup', file)).stderr).toContain('exists already')
  const whole = await on(empty.url, 'restore', file, '--check')
  expect(whole).toMatchObject({ code: 0, stdout: expect.stringMatching(/is whole: .* Nothing was restored/) })

  const octets = await readFile(file)
  const half = Math.floor(octets.length / 2)
  const cases: [Buffer, RegExp][] = [
    [octets.subarray(0, half), /cut off: its end is missing/],
    [Buffer.from('-- PostgreSQL database dump'), /no backup of Paper Round/],
    [Buffer.concat([octets.subarray(0, half), Buffer.from('xxxx'), octets.subarray(half + 4)]), /damaged/],
  ]
  for (const [changed, why] of cases) {
    await writeFile(`${file}.changed`, changed)
    const refused = await on(empty.url, 'restore', `${file}.changed`)
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(why) })
    expect(refused.stderr.trim().split('\n')).toHaveLength(1)
  }
  const settings = { DATABASE_URL: empty.url, DATA_DIR: folder.path, NODE_ENV: 'development' }
  expect((await on(empty.url, 'restore', `${file}.absent`)).stderr).toContain('no such file')
  const wrongKey = await runProgram('admin', ['restore', file], { ...settings, SECRET_KEY: OTHER })
  expect(wrongKey).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/made with the secret key .* SECRET_KEY_PREVIOUS/),
  })

  // A key that was replaced since is enough.
  const rotated = { ...settings, SECRET_KEY: OTHER, SECRET_KEY_PREVIOUS: KEY }
  const restored = await runProgram('admin', ['--json', 'restore', file], rotated)
  expect(JSON.parse(restored.stdout)).toMatchObject({ held: true, unfinished: [{ unknown: 2 }], due: 2 })
  expect((await on(empty.url, 'restore', file)).stderr).toContain('holds something already')
  expect((await on(empty.url, 'service', 'show')).stdout).toMatch(/held since .* \(restored from the backup of /)
  expect(JSON.parse((await on(empty.url, '--json', 'service', 'resume', '--skip-due')).stdout)).toMatchObject({
    held: null,
    passedOver: 2,
  })
  expect((await on(empty.url, 'service', 'resume')).stderr).toContain('not held')
}, 300_000)

test('the embedded database of a running service is backed up, and restored into a new folder beside its key', async () => {
  await using folder = await openTestFolder(0o711)
  const settings = (name: string) => ({
    DATA_DIR: join(folder.path, name),
    PORT: '0',
    MAILBOX_PORT: '0',
    HEALTH_PORT: '0',
    PAPER_SOURCES: 'sample',
    LOG_LEVEL: 'warn',
  })
  const file = join(folder.path, 'paper-round.backup')
  await using service = startProgram('main', [], settings('old'))
  await service.said('embedded')
  expect(await runProgram('admin', ['backup', file], settings('old'))).toMatchObject({ code: 0 })
  const beside = await runProgram('admin', ['restore', file], settings('old'))
  expect(beside).toMatchObject({ code: 2, stderr: expect.stringContaining('a service runs on') })
  await service.end('SIGKILL')

  const without = await runProgram('admin', ['restore', file], settings('new'))
  expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining('made with the secret key') })
  await writeFile(join(folder.path, 'new', 'secret-key'), await readFile(join(folder.path, 'old', 'secret-key')))
  expect(await runProgram('admin', ['restore', file], settings('new'))).toMatchObject({ code: 0 })
  await using again = startProgram('main', [], settings('new'))
  expect(await again.said('held since')).toContain('to go on: service resume')
  const doctor = await runProgram('admin', ['--json', 'doctor'], settings('new'))
  expect(doctor.stdout).toContain('"the service is held since')
}, 300_000)
