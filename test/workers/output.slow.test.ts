/** What the programs print, and to whom: people, programs, and nobody any more. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { openTestDatabase, type TestDatabase } from '../support/databases/postgres.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { oweEdition } from '../support/fixtures/owed-edition.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { runProgram, startProgram } from '../support/processes/program.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
let database: TestDatabase
beforeAll(async () => {
  database = await openTestDatabase()
  const db = openDatabase(database.url, { connections: 1, name: 'test', onError: () => undefined })
  // More than a pipe holds.
  await oweEdition(db, 3000, 1, 1)
  await db.destroy()
})
afterAll(() => database[Symbol.asyncDispose]())

test('a start whose log is JSON prints nothing that is not, and says where the site is', async () => {
  await using folder = await openTestFolder(0o711)
  const settings = { DATABASE_URL: database.url, DATA_DIR: folder.path, PORT: '0', LOG_LEVEL: 'debug' }
  await using service = startProgram('main', ['api'], settings)
  const { site } = announcedIn(await service.said('is ready'))
  expect((await fetch(`${site}/healthz`)).status).toBe(200)
  const { code, stdout, stderr } = await service.end('SIGTERM')
  expect(code).toBe(0)
  const lines = `${stdout}${stderr}`.trim().split('\n')
  for (const line of lines)
    expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number), msg: expect.any(String) })
})

test.each(['main', 'admin'] as const)('%s --version prints the version, whatever the settings', async (program) => {
  const { version } = JSON.parse(await readFile(`${ROOT}/package.json`, 'utf8')) as { version: string }
  const printed = await runProgram(program, ['--version'], { PORT: 'wrong' })
  expect(printed).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

describe('a program whose output nobody reads', () => {
  test.each([
    ['admin', ['--help']],
    ['admin', ['editions', 'missed', '1']],
    ['admin', ['--json', 'editions', 'list']],
    ['admin', ['editions', 'show', 'wrong']],
    ['main', ['maintain']],
  ] as const)('ends without a trace: %s %j', async (program, words) => {
    const child = spawn(process.execPath, [`${ROOT}/workers/${program}.ts`, ...words], {
      env: { PATH: process.env.PATH, ENV_FILE: '', DATABASE_URL: database.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // As `head -0` does.
    child.stdout.destroy()
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const [code] = await once(child, 'close')
    expect(stderr).not.toMatch(/EPIPE|at .*node:/)
    expect(code).toBe(words.some((word) => word === 'wrong') ? 2 : 0)
  })
})
