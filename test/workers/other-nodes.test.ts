/**
 * `node workers/main.ts` as typed, under whatever Node a machine has: it works, or one line says what to type. The Nodes are
 * those on the PATH, and those that OTHER_NODES names (`.ci/run` gets 20, 22 and 26).
 */
import { execFile } from 'node:child_process'
import { access, constants, realpath } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { runProgram, startProgram } from '../support/processes/program.ts'

const run = promisify(execFile)
const { PATH = '', OTHER_NODES = '' } = process.env

const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )

/** The other Nodes of this machine, each version once: its version and its path. */
const findOtherNodes = async (): Promise<[version: string, path: string][]> => {
  const onPath = PATH.split(delimiter).map((folder) => join(folder, 'node'))
  const named = OTHER_NODES.split(delimiter).filter((path) => path !== '')
  const found = new Map<string, string>()
  for (const path of [...named, ...onPath]) {
    if (!(await isProgram(path)) || (await realpath(path)) === (await realpath(process.execPath))) continue
    const { stdout } = await run(path, ['--version'])
    const version = stdout.trim().slice(1)
    if (version !== process.versions.node && !found.has(version)) found.set(version, path)
  }
  for (const path of named)
    if (!(await isProgram(path))) throw new Error(`OTHER_NODES names ${path}, which cannot be run`)
  return [...found]
}

const others = await findOtherNodes()
/** What the test run has loaded before each program is TypeScript, which an old Node could not load. */
const NO_PRELOAD = { NODE_OPTIONS: '' }

const isOld = ([version]: [string, string]) => Number.parseInt(version, 10) < 24

describe.skipIf(!others.some(isOld))('an older Node says in one line what to type', () => {
  test.each(others.filter(isOld))('Node %s', async (version, node) => {
    const about = `paper-round: Node 24 or later is needed, this is ${version}. npm has brought it along; type: `
    const typed = async (file: 'main' | 'admin', words: string[]) => {
      const { code, stdout, stderr } = await runProgram(file, words, NO_PRELOAD, { node })
      expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(/^.+\n$/) })
      return stderr
    }
    expect(await typed('main', [])).toBe(`${about}npm start\n`)
    expect(await typed('main', ['api', 'mailer'])).toBe(`${about}npm start -- api mailer\n`)
    expect(await typed('admin', ['subscribers', 'search', "O'Hara x"])).toBe(
      `${about}npm run admin -- subscribers search 'O'\\''Hara x'\n`,
    )
  })
})

describe.skipIf(!others.some((node) => !isOld(node)))('a newer Node runs it', () => {
  test.each(others.filter((node) => !isOld(node)))('Node %s', async (_, node) => {
    await using folder = await openTestFolder(0o711)
    const settings = { DATA_DIR: join(folder.path, 'data'), PORT: '0', MAILBOX_PORT: '0', PAPER_SOURCES: 'sample' }
    await using service = startProgram('main', [], { ...settings, LOG_LEVEL: 'warn' }, { node })
    await service.said('Paper Round is ready')
    expect(await runProgram('admin', ['subscribers', 'count'], settings, { node })).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect(await service.end('SIGTERM')).toMatchObject({ code: 0 })
  })
})
