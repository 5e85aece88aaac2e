/** A list brought along, listed, counted and taken away again by the command line, on a Postgres. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../support/databases/postgres.ts'
import { openTestFolder, type TestFolder } from '../../support/fixtures/folder.ts'
import { runProgram } from '../../support/processes/program.ts'
import { thorough } from '../../support/thoroughness.ts'

/** Each command is a process of its own. */
const thoroughly = test.runIf(thorough)

const CONSENT = ['--consent', 'form on lab.example.org, 2019 to 2026']
const LIST = `Email Address;Topics;Frequency;Hour;Timezone;Keywords;Name
ada@example.org;robotics;weekly;9;Europe/London;"Lean 4
sheet music";Ada
"grace@example.org" ;Code | robotics;;;;;Grace
 Alan@Example.org;;;;;"=cmd|' /C calc'!A0";Alan
nobody;robotics;;;;;Nobody
dorothy@example.org;cooking;monthly;;;;"Dorothy; of the kitchen"
`

let folder: TestFolder
let database: TestDatabase
let settings: Record<string, string>
beforeAll(async () => {
  folder = await openTestFolder()
  database = await openTestDatabase()
  settings = {
    DATABASE_URL: database.url,
    DATA_DIR: join(folder.path, 'data'),
    NODE_ENV: 'development',
    SECRET_KEY: '7'.repeat(64),
    CLOCK: '2026-04-15T12:00:00Z',
    LOG_LEVEL: 'warn',
  }
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const admin = (words: string[], input: string | Buffer = '', more: Record<string, string> = {}) =>
  runProgram('admin', words, { ...settings, ...more }, { input: input as string })
const pathOf = (name: string): string => join(folder.path, name)
const write = async (name: string, text: string | Buffer): Promise<string> => {
  await writeFile(pathOf(name), text)
  return pathOf(name)
}

describe('a list', () => {
  let list: string
  beforeAll(async () => {
    list = await write('list.csv', Buffer.from(`\ufeff${LIST}`, 'utf16le'))
  })

  thoroughly('that is only tried stores nothing, and says the same as when it is imported', async () => {
    const tried = await admin(['subscribers', 'import', list, ...CONSENT, '--dry-run'])
    expect(tried).toMatchObject({ code: 0, stderr: '' })
    expect(tried.stdout).toContain('Dry run: nothing was stored.\n3 of 5 rows would be imported.\n')
    const counted = await admin(['--json', 'subscribers', 'count'])
    expect(JSON.parse(counted.stdout)).toEqual({ all: 0, states: {}, frequencies: {}, topics: [] })
  })

  test('is imported but for the rows that are wrong, each of which is named', async () => {
    const imported = await admin(['subscribers', 'import', list, ...CONSENT])
    expect(imported).toMatchObject({ code: 0, stderr: '' })
    expect(imported.stdout).toBe(
      [
        '3 of 5 rows imported.',
        'Columns that were not imported: Name.',
        `Refused: 2 rows, in ${list}.refused.csv. Mend them there and import that file.`,
        '  line 6, email: Enter an address with an @, such as ada@example.org.',
        '  line 7, topics: There is no topic “cooking”. Choose from the list.',
        '  line 7, frequency: Choose daily or weekly.',
        'Most digests at one moment: 2, due 2026-04-16T07:00:00.000Z.',
        '',
      ].join('\n'),
    )
    // It holds addresses.
    expect((await stat(`${list}.refused.csv`)).mode & 0o777).toBe(0o600)
  })

  test('has a report of what was refused that can be mended and imported, and is not written over', async () => {
    const report = `${list}.refused.csv`
    const text = await readFile(report, 'utf8')
    const lines = text.split('\n')
    expect(lines[0]).toBe(
      'refused_line,refused_column,refused_problem,refused_expected,Email Address,Topics,Frequency,Hour,Timezone,Keywords,Name',
    )
    expect(lines[1]).toBe(
      '6,email,"Enter an address with an @, such as ada@example.org.",one address such as ada@example.org,nobody,robotics,,,,,Nobody',
    )
    if (thorough) {
      const again = await admin(['subscribers', 'import', list, ...CONSENT])
      expect([again.code, again.stderr]).toEqual([2, expect.stringContaining(`${report} is there already`)])
    }
    await writeFile(report, text.replace(',nobody,', ',nobody@example.org,').replace('cooking,monthly', 'code,daily'))
    const mended = await admin(['--json', 'subscribers', 'import', report, ...CONSENT])
    expect(JSON.parse(mended.stdout)).toMatchObject({
      rows: 2,
      imported: 2,
      refused: 0,
      ignored: ['Name'],
      report: null,
    })
  })

  thoroughly('is read from standard input, and what is known by then is counted', async () => {
    const words = ['--json', 'subscribers', 'import', '-', ...CONSENT, '--refused', pathOf('again.csv')]
    const imported = await admin(words, LIST)
    expect(JSON.parse(imported.stdout)).toMatchObject({ rows: 5, imported: 0, kept: { active: 3 }, refused: 2 })
  })

  test('shows of each reader who said that they agreed, and when', async () => {
    const shown = await admin(['subscribers', 'show', 'ada@example.org'])
    expect(shown.stdout).toContain('keywords   Lean 4, sheet music\n')
    expect(shown.stdout).toContain('consent    2026-04-15T12:00:')
    expect(shown.stdout).toMatch(/by import: “form on lab\.example\.org, 2019 to 2026”\n/)
    if (!thorough) return
    const consent = await admin(['subscribers', 'consent', 'ada@example.org'])
    expect(consent.stdout).toContain(
      '  by        import\n  chose     weekly digests\n  stated    “form on lab.example.org',
    )
    const held = JSON.parse((await admin(['subscribers', 'export', 'ada@example.org'])).stdout)
    expect(held).toMatchObject({
      consent: [{ source: 'import', wording: { text: 'form on lab.example.org, 2019 to 2026' } }],
      legacyLinks: [],
    })
  })
})

describe('who is subscribed', () => {
  test('is listed, and counted', async () => {
    const text = await admin(['subscribers', 'list', '--limit', '1', '--topic', 'code'])
    expect(text.stdout).toMatch(
      /^2 subscribers; the newest 1:\n\S+@example\.org\tactive\tdaily 07:00 UTC\t[^\t]*code[^\t]*\t2026-04-15\n$/,
    )
    if (!thorough) return
    const found = await admin(['subscribers', 'search', 'LEAN', '--state', 'active,paused', '--until', '2026-04-16'])
    expect(found.stdout).toMatch(/^1 subscriber\.\nada@example\.org\t/)
    expect((await admin(['subscribers', 'count'])).stdout).toBe(
      [
        '        5  subscribers',
        '        5  active',
        '        4  get daily digests',
        '        1  get weekly digests',
        '        3  follow robotics',
        '        2  follow code',
        '',
      ].join('\n'),
    )
  })

  test('is exported with a warning, with no formula in any cell, and imported elsewhere with the same choices', async () => {
    const file = pathOf('everybody.csv')
    const exported = await admin(['subscribers', 'export', '--out', file])
    expect(exported).toMatchObject({ code: 0, stdout: `5 subscribers written to ${file}.\n` })
    expect(exported.stderr).toContain('This is personal data.')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const text = await readFile(file, 'utf8')
    expect(text).toContain(`,'=cmd|' /C calc'!A0,`)
    for (const line of text.split('\n')) expect(line).not.toMatch(/(?:^|,|"|\n)[=+@]/)
    if (!thorough) return
    expect((await admin(['subscribers', 'export', '--out', file])).stderr).toContain(
      'is there already; name another file',
    )

    await using elsewhere = await openTestDatabase()
    const there = { DATABASE_URL: elsewhere.url }
    const moved = await admin(['--json', 'subscribers', 'import', file, ...CONSENT], '', there)
    expect(JSON.parse(moved.stdout)).toMatchObject({ imported: 5, refused: 0 })
    const jsonl = async (more = {}) => {
      const { stdout } = await admin(['subscribers', 'export', '--format', 'jsonl'], '', more)
      const rows = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      const times = ['id', 'requested_at', 'confirmed_at', 'next_digest_at']
      return rows
        .map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !times.includes(name))))
        .sort((a, b) => String(a.email).localeCompare(String(b.email)))
    }
    const here = await jsonl()
    expect(here).toHaveLength(5)
    expect(await jsonl(there)).toEqual(here)
  })

  thoroughly('who is not active in a list is not brought along', async () => {
    const { stdout } = await admin(['subscribers', 'export', '--topic', 'code'])
    const list = await write('left.csv', stdout.replaceAll(',active,', ',unsubscribed,'))
    const refused = await admin(['--json', 'subscribers', 'import', list, ...CONSENT])
    expect(refused.code).toBe(2)
    expect(JSON.parse(refused.stdout)).toMatchObject({
      rows: 2,
      refused: 2,
      problems: [{ column: 'state' }, { column: 'state' }],
    })
    expect(JSON.parse(refused.stderr)).toEqual({ errors: ['no row was accepted'] })
  })
})

describe('a command that is wrong', () => {
  const wrong: [words: string[], message: RegExp][] = [
    [['import', 'list.csv'], /required option '--consent/],
    [['import', 'list.csv', '--consent', 'yes'], /--consent must say where and when they agreed, such as/],
    [['import', 'nowhere.csv', ...CONSENT], /nowhere\.csv/],
    [
      ['import', 'list.csv', ...CONSENT, '--column', 'email=Adresse'],
      /there is no column “Adresse”; the first line names “Email Address”/,
    ],
    [['import', 'list.csv', ...CONSENT, '--column', 'phone=Topics'], /write NAME=VALUE, with a NAME of email, topics/],
    [['import', 'list.csv', ...CONSENT, '--default', 'timezone=Mars'], /--default timezone: “Mars” isn’t a time zone/],
    [['import', 'list.csv', ...CONSENT, '--over', '90'], /write a number of days from 1 to 60/],
    [['list', '--since', 'yesterday'], /write a day such as 2026-04-14/],
    [['export', 'ada@example.org', '--format', 'csv'], /write an address, or which part of the list to export/],
  ]
  test.each(thorough ? wrong : wrong.slice(1, 2))(
    '%j ends with code 2 and says what would be right',
    async (words, message) => {
      const named = words.map((word) => (word.endsWith('.csv') ? pathOf(word) : word))
      const { code, stdout, stderr } = await admin(['subscribers', ...named])
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(message)
      expect(stderr).not.toContain('    at ')
    },
  )

  thoroughly('a list without a row is code 2', async () => {
    const { code, stderr } = await admin(['subscribers', 'import', await write('head.csv', 'email\n'), ...CONSENT])
    expect([code, stderr]).toEqual([2, 'paper-round: no row was accepted\n'])
  })
})
