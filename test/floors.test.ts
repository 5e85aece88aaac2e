/** The floors hold: what must not be imported, circles and a hidden environment fail the check with a sentence. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const BIOME = join(ROOT, 'node_modules/.bin/biome')
const run = promisify(execFile)
let copy = ''

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'paper-round-floors-'))
  for (const part of [
    'src',
    'workers',
    'migrations',
    '.ci',
    'biome.json',
    'package.json',
    '.gitignore',
    'tsconfig.json',
  ])
    await cp(join(ROOT, part), join(copy, part), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  // Biome asks git which files are ignored; without a repository it would refuse the setting.
  await mkdir(join(copy, '.git'))
})
afterAll(() => rm(copy, { recursive: true, force: true }))

/** What the check says of planted files; empty when it finds nothing. */
const check = async (planted: Record<string, string>): Promise<string> => {
  const paths = Object.keys(planted)
  for (const [path, text] of Object.entries(planted)) await writeFile(join(copy, path), `/** Planted. */\n${text}\n`)
  try {
    await run(BIOME, ['lint', '--error-on-warnings', '--colors=off', '--max-diagnostics=50', ...paths], { cwd: copy })
    return ''
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    return stdout + stderr
  } finally {
    for (const path of paths) await rm(join(copy, path))
  }
}

test.each([
  ['src/core/planted.ts', '../store/database.ts', 'core/ is floor 1'],
  ['src/core/planted.ts', 'node:fs', 'core/ has no I/O'],
  ['src/core/planted.ts', 'pg', 'core/ has no I/O'],
  ['src/store/planted.ts', '../adapters/queue/queue.ts', 'store/ is floor 2'],
  ['src/adapters/planted.ts', '../store/database.ts', 'adapters/ is floor 2'],
  ['src/adapters/planted.ts', '../../workers/config.ts', 'adapters/ is floor 2'],
  ['src/newsletter/planted.ts', '../adapters/queue/queue.ts', 'newsletter/ is floor 3'],
  ['src/newsletter/planted.ts', 'fastify', 'newsletter/ holds use cases'],
  ['src/http/planted.ts', '../store/database.ts', 'http/ is floor 4'],
  ['src/http/planted.ts', '../adapters/templates/pages.ts', 'http/ is floor 4'],
  ['src/http/planted.ts', '../../workers/config.ts', 'http/ is floor 4'],
  ['migrations/planted.ts', '../src/core/papers/paper.ts', 'frozen in time'],
])('%s may not import %s', async (path, imported, sentence) => {
  expect(await check({ [path]: `import * as x from '${imported}'\nexport const y = x` })).toContain(sentence)
})

test('a circle of imports fails the check', async () => {
  const circle = {
    'src/store/planted.ts': "import { b } from './planted-too.ts'\nexport const a = (): number => b()",
    'src/store/planted-too.ts': "import { a } from './planted.ts'\nexport const b = (): number => a()",
  }
  expect(await check(circle)).toContain('noImportCycles')
})

test('the environment, the clock and raw SQL are kept out', async () => {
  expect(await check({ 'src/core/planted.ts': 'export const home = process.env.HOME' })).toContain('noProcessEnv')
  expect(await check({ 'src/core/planted.ts': 'export const now = new Date()' })).toContain('core/ has no clock')
  const raw = "import { sql } from 'kysely'\nexport const x = (text: string) => sql.raw(text)"
  expect(await check({ 'src/store/planted.ts': raw })).toContain('sql.raw puts text into SQL unescaped')
})

test('what the floors allow passes', async () => {
  const allowed = {
    'src/core/planted.ts': "import { createHash } from 'node:crypto'\nexport const hash = () => createHash('sha256')",
    'src/http/planted.ts': "export type { Archive } from '../newsletter/archive.ts'",
    'workers/planted.ts': "export { openQueue } from '../src/adapters/queue/queue.ts'",
  }
  expect(await check(allowed)).toBe('')
})
