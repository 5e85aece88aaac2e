/** The floors and their rooms hold: what must not be imported, circles and a hidden environment fail the check with a sentence. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const BIOME = join(ROOT, 'node_modules/.bin/biome')
const run = promisify(execFile)

/** Folder, what a file in it imports, and the beginning of the sentence that refuses it. */
const FORBIDDEN: [folder: string, imported: string, sentence: string][] = [
  ['src/core', '../store/database.ts', 'core/ is floor 1'],
  ['src/core', 'node:fs', 'core/ has no I/O'],
  ['src/core', 'pg', 'core/ has no I/O'],
  ['src/core/text', '../../store/database.ts', 'core/ is floor 1'],
  ['src/core/text', 'node:fs', 'core/ has no I/O'],
  ['src/core/text', '../papers/paper.ts', 'core/text/ is what the other rooms read words with'],
  ['src/core/papers', '../subscriber/preferences.ts', 'core/papers/ says what a paper is'],
  ['src/core/subscriber', '../papers/paper.ts', 'core/subscriber/ says what a subscriber chose'],
  ['src/core/relevance', '../digest/digest.ts', 'core/relevance/ compares a paper with a topic'],
  ['src/core/digest', '../sending/pace.ts', 'core/digest/ chooses papers'],
  ['src/core/library', '../digest/digest.ts', 'core/library/ says what a library tells of its owner'],
  ['src/core/text', '../library/library.ts', 'core/library/ is made of this room'],
  ['src/core/bounces', '../sending/pace.ts', 'core/bounces/ reads what mail servers and providers report'],
  ['src/core/sending', '../papers/paper.ts', 'core/sending/ knows servers and routes'],
  ['src/core/checkup', '../bounces/verp.ts', 'core/checkup/ judges an installation'],
  ['src/store', '../adapters/queue/queue.ts', 'store/ is floor 2'],
  ['src/adapters', '../store/database.ts', 'adapters/ is floor 2'],
  ['src/adapters', '../../workers/config/config.ts', 'adapters/ is floor 2'],
  ['src/adapters/queue', '../../store/database.ts', 'adapters/ is floor 2'],
  ['src/adapters/queue', '../smtp/session.ts', 'A room of adapters/ is one system and knows no other: what'],
  ['src/adapters/checkup', '../queue/queue.ts', 'A room of adapters/ is one system and knows no other: checkup/'],
  ['src/newsletter', '../adapters/queue/queue.ts', 'newsletter/ is floor 3'],
  ['src/newsletter', 'fastify', 'newsletter/ holds use cases'],
  ['src/http', '../store/database.ts', 'http/ is floor 4'],
  ['src/http', '../adapters/templates/pages.ts', 'http/ is floor 4'],
  ['src/http', '../../workers/config/config.ts', 'http/ is floor 4'],
  ['src/http', '../../test/support/fixtures/papers.ts', 'src/ is what runs for readers'],
  ['migrations', '../src/core/papers/paper.ts', 'frozen in time'],
]
const plantedPath = (n: number) => `${FORBIDDEN[n]?.[0]}/planted-${n}.ts`

/** All planted files by path. They are checked in one run: it reads the whole project each time. */
const PLANTED: Record<string, string> = {
  ...Object.fromEntries(
    FORBIDDEN.map(([, imported], n) => [plantedPath(n), `import * as x from '${imported}'\nexport const y = x`]),
  ),
  'src/store/circle.ts': "import { b } from './circle-too.ts'\nexport const a = (): number => b()",
  'src/store/circle-too.ts': "import { a } from './circle.ts'\nexport const b = (): number => a()",
  'src/store/type-circle.ts': "import type { B } from './type-circle-too.ts'\nexport type A = B | null",
  'src/store/type-circle-too.ts': "import type { A } from './type-circle.ts'\nexport interface B {\n  a: A\n}",
  'src/core/environment.ts': 'export const home = process.env.HOME',
  'src/core/clock.ts': 'export const now = new Date()',
  'src/store/raw.ts': "import { sql } from 'kysely'\nexport const x = (text: string) => sql.raw(text)",
  'src/core/allowed.ts': "import { createHash } from 'node:crypto'\nexport const hash = () => createHash('sha256')",
  'src/core/digest/allowed.ts': "export type { Reading } from '../relevance/reading.ts'",
  'src/core/sending/allowed.ts': "export { classifyBounce } from '../bounces/bounce-class.ts'",
  'src/adapters/checkup/allowed.ts': "export { openSession } from '../smtp/session.ts'",
  'src/http/allowed.ts': "export type { Archive } from '../newsletter/archive/archive.ts'",
  'workers/allowed.ts': "export { openQueue } from '../src/adapters/queue/queue.ts'",
}

interface Report {
  diagnostics: { category: string; message: string; location: { path: string } }[]
}

/** What the check says of each planted file, a line for each finding. */
const findings = new Map<string, string>()
let copy = ''

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'paper-round-floors-'))
  const parts = ['src', 'workers', 'migrations', '.ci', 'biome.json', 'package.json', '.gitignore', 'tsconfig.json']
  for (const part of parts) await cp(join(ROOT, part), join(copy, part), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  // Biome asks git which files are ignored; without a repository it would refuse the setting.
  await mkdir(join(copy, '.git'))
  for (const [path, text] of Object.entries(PLANTED)) {
    await mkdir(dirname(join(copy, path)), { recursive: true })
    await writeFile(join(copy, path), `/** Planted. */\n${text}\n`)
  }
  const words = ['lint', '--error-on-warnings', '--reporter=json', '--max-diagnostics=none', ...Object.keys(PLANTED)]
  // It ends with an error, since it finds something.
  const { stdout } = await run(BIOME, words, { cwd: copy }).catch((error: { stdout: string }) => error)
  for (const { category, message, location } of (JSON.parse(stdout) as Report).diagnostics)
    findings.set(location.path, `${findings.get(location.path) ?? ''}${category}: ${message}\n`)
})
afterAll(() => rm(copy, { recursive: true, force: true }))

test.each(FORBIDDEN.map(([folder, imported, sentence], n) => ({ folder, imported, sentence, n })))(
  'a file of $folder may not import $imported',
  ({ sentence, n }) => expect(findings.get(plantedPath(n))).toContain(sentence),
)

test('a circle of imports fails the check, also one of types alone', () => {
  expect(findings.get('src/store/circle.ts')).toContain('noImportCycles')
  expect(findings.get('src/store/type-circle.ts')).toContain('noImportCycles')
})

test('the environment, the clock and raw SQL are kept out', () => {
  expect(findings.get('src/core/environment.ts')).toContain('noProcessEnv')
  expect(findings.get('src/core/clock.ts')).toContain('core/ has no clock')
  expect(findings.get('src/store/raw.ts')).toContain('sql.raw puts text into SQL unescaped')
})

test('what the floors and rooms allow passes', () => {
  const allowed = Object.keys(PLANTED).filter((path) => path.endsWith('allowed.ts'))
  expect(allowed.map((path) => findings.get(path)).filter((found) => found !== undefined)).toEqual([])
})
