/** Topics of one's own by the operator's commands: what they find, what is wrong with a file, and who follows what is gone. */
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../../src/store/database.ts'
import { openTestDatabase, type TestDatabase } from '../../support/databases/postgres.ts'
import { preprintId, writePreprints } from '../../support/fixtures/biology.ts'
import { openTestFolder, type TestFolder } from '../../support/fixtures/folder.ts'
import { LONDON_DAILY, subscribe } from '../../support/fixtures/newsletter.ts'
import { runProgram } from '../../support/processes/program.ts'

const BIOLOGY = resolve(import.meta.dirname, '../../../topics/biology.json')
const DAYS = ['2026-04-01', '2026-04-02', '2026-04-08']

let folder: TestFolder
let database: TestDatabase
let settings: Record<string, string>
beforeAll(async () => {
  folder = await openTestFolder()
  database = await openTestDatabase()
  settings = {
    DATABASE_URL: database.url,
    NODE_ENV: 'development',
    DATA_DIR: folder.path,
    CLOCK: '2026-04-09T05:00:00Z',
  }
  await writePreprints(join(folder.path, 'papers'), DAYS)
  const imported = await runProgram('admin', ['papers', 'import', join(folder.path, 'papers')], {
    ...settings,
    TOPICS_FILE: BIOLOGY,
  })
  expect(imported).toMatchObject({ code: 0, stdout: expect.stringContaining('9 new') })
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

/** The demonstration's topics with some of their fields changed. */
const fileWith = async (name: string, change: (topic: { slug: string } & Record<string, unknown>) => object) => {
  const file = JSON.parse(await readFile(BIOLOGY, 'utf8')) as { groups: { topics: ({ slug: string } & object)[] }[] }
  for (const group of file.groups) group.topics = group.topics.map((topic) => ({ ...topic, ...change({ ...topic }) }))
  const path = join(folder.path, name)
  await writeFile(path, JSON.stringify(file))
  return path
}

test('what topics would find is told before readers see it, with the examples that somebody judged', async () => {
  const judged = await fileWith('judged.json', ({ slug }) =>
    slug === 'gene-editing'
      ? {
          examples: {
            relevant: [preprintId('2026-04-01', 0), preprintId('2026-04-02', 0), 'biorxiv:10.1101/000000'],
            irrelevant: [preprintId('2026-04-01', 1)],
          },
        }
      : {},
  )
  const { code, stdout } = await runProgram('admin', ['topics', 'check', judged], settings)
  expect(code).toBe(0)
  expect(stdout).toContain('9 papers of 1 week, 15 topics.')
  expect(stdout).toContain('gene-editing (Gene editing & CRISPR): 3 papers, 2.6 a week')
  expect(stdout).toContain('such as  Prime editing of stem lines with short guide RNA: ')
  expect(stdout).toMatch(/no paper holds {2}genome editing, /)
  expect(stdout).toContain('by 3 judged papers: precision 100 %, recall 100 %')
  expect(stdout).toContain('Nothing needs a look.')
})

test('a topic that does badly by its examples is one to look at, and the exit code says so', async () => {
  const bad = await fileWith('bad.json', ({ slug }) =>
    slug === 'immunology' ? { examples: { relevant: [preprintId('2026-04-01', 0)], irrelevant: [] } } : {},
  )
  const { code, stdout } = await runProgram('admin', ['--json', 'topics', 'check', bad], settings)
  expect(code).toBe(1)
  const { findings } = JSON.parse(stdout) as { findings: { slug: string; warnings: string[] }[] }
  expect(findings.find(({ slug }) => slug === 'immunology')?.warnings).toEqual(['its recall by your examples is 0 %'])
})

test('a file with faults is told with all of them, and checked no further', async () => {
  const faulty = await fileWith('faulty.json', ({ slug }) =>
    slug === 'cancer' ? { strong: ['KRAS', 'kras'], label: '' } : {},
  )
  const { code, stderr } = await runProgram('admin', ['topics', 'check', faulty], settings)
  expect(code).toBe(2)
  expect(stderr.split('\n').filter((line) => line.includes('TOPICS_FILE'))).toEqual([
    expect.stringContaining('groups[1].topics[3].label: must be one line of 1 to 60 characters'),
    expect.stringContaining('groups[1].topics[3].strong[1]: “kras” is the same phrase as'),
  ])
})

test('topics are listed with how they are scored, who follows them, and those that are gone', async () => {
  const db = openDatabase(database.url, { connections: 1, name: 'test', onError: () => undefined })
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, new Date('2026-04-09T05:00:00Z'))
  await sql`update subscribers set topics = '{alchemy,gene-editing}' where id = ${id}`.execute(db)
  await db.destroy()
  const { code, stdout } = await runProgram('admin', ['topics', 'list'], { ...settings, TOPICS_FILE: BIOLOGY })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^gene-editing +by phrases +1 {2}Gene editing & CRISPR$/m)
  expect(stdout).toContain('alchemy is no longer a topic; 1 subscriber chose it.')
  const shipped = await runProgram('admin', ['--json', 'topics', 'list'], settings)
  const { topics } = JSON.parse(shipped.stdout) as { topics: { slug: string; scoredBy: string }[] }
  expect(topics).toHaveLength(38)
  expect(new Set(topics.map(({ scoredBy }) => scoredBy))).toEqual(new Set(['model']))
})
