/** The file of settings: which file is read, what comes first, and what is said of each line that cannot be used. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../../workers/config/config.ts'
import { UnusableSettings } from '../../../workers/config/settings.ts'
import { readSettingsFile } from '../../../workers/config/settings-file.ts'
import { openTestFolder } from '../../support/fixtures/folder.ts'
import { runProgram } from '../../support/processes/program.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

/** Writes a file of settings and calls `use` with its path. */
const withFile = async <T>(text: string, use: (path: string) => T): Promise<T> => {
  await using folder = await openTestFolder()
  const path = join(folder.path, 'settings.env')
  await writeFile(path, text)
  return use(path)
}

/** What is wrong with a file, each fault without the file's name. */
const faultsOfFile = (text: string): Promise<string[]> =>
  withFile(text, (path) => {
    try {
      loadConfig({ ENV_FILE: path })
      return []
    } catch (error) {
      if (!(error instanceof UnusableSettings)) throw error
      return error.faults.map((fault) => fault.replaceAll(`${path}, `, ''))
    }
  })

test('settings are read from the file, quoted, with comments, and over several lines', async () => {
  const text =
    '# ours\nPORT=8081\nMAIL_FROM="Round <round@example.org>" # the sender\n\nPOSTAL_ADDRESS=\'1 Example\nStreet\'\r\n'
  const config = await withFile(text, (path) => loadConfig({ ENV_FILE: path }))
  expect(config).toMatchObject({
    port: 8081,
    mailFrom: { name: 'Round', address: 'round@example.org' },
    postalAddress: '1 Example\nStreet',
  })
})

test('the environment of the process comes first, also where it sets a setting to nothing', async () => {
  const text = 'PORT=8081\nSMTP_URL=smtp://mail.example.org\nMAIL_FROM=a@example.org\nHOST=0.0.0.0\n'
  const config = await withFile(text, (path) => loadConfig({ ENV_FILE: path, PORT: '9000', SMTP_URL: '' }))
  expect(config).toMatchObject({ port: 9000, smtpUrl: null, host: '0.0.0.0' })
})

describe('a line that cannot be used is named with its number', () => {
  test.each([
    ['export PORT=1', 'line 1: is neither NAME=value nor a comment, which begins with #'],
    ['PORT 8080', 'line 1: is neither NAME=value nor a comment, which begins with #'],
    ['PORT=1\n\nPORT=2', 'line 3: PORT is set in line 1 already; keep one of them'],
    ['# a\nSMPT_URL=smtp://mail.example.org', 'line 2: SMPT_URL is no setting; is SMTP_URL meant?'],
    ['POSTAL_ADDRES=1', 'line 1: POSTAL_ADDRES is no setting; is POSTAL_ADDRESS meant?'],
    ['ADMIN_TOKEN=ab#cd', 'line 1: the value of ADMIN_TOKEN would end before its #; put it in quotes: ADMIN_TOKEN="…"'],
    ['PORT="8080\nHOST=::', 'line 1: the quote before the value of PORT is not closed'],
    ['PORT="80"80', 'line 1: something follows the closing quote of PORT'],
    ['HOST=::1\nPORT=x', 'PORT (line 2): is not a port; write a number from 0 (any free one) to 65535'],
  ])('%j', async (text, fault) => {
    expect(await faultsOfFile(text)).toContain(fault)
  })

  test('but not a name that another program reads from the same file', async () => {
    expect(
      await faultsOfFile('POSTGRES_PASSWORD=x\nCOMPOSE_PROFILES=bounces\nPUBLISH_SITE=127.0.0.1:8080\nTZ=UTC'),
    ).toEqual([])
  })

  test('a setting of the environment is not blamed on the file', async () => {
    await withFile('PORT=8080', (path) => {
      expect(() => loadConfig({ ENV_FILE: path, PORT: 'x' })).toThrow(/^PORT: is not a port/)
    })
  })
})

test('whatever file has no fault has exactly the names that Node reads in it', async () => {
  const part = fc.constantFrom(
    'PORT',
    'HOST',
    'A',
    '=',
    '=',
    '\n',
    '\n',
    '"',
    "'",
    '`',
    '#',
    ' ',
    'export ',
    '\\',
    '\t',
    'x',
    '1',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 30 }), async (parts) => {
      const text = parts.join('')
      await withFile(text, (path) => {
        try {
          const { values, originOf } = readSettingsFile({ ENV_FILE: path })
          expect(values).toEqual(parseEnv(text))
          for (const name of Object.keys(values)) expect(originOf(name)).toContain('line ')
          expect(['PORT', 'HOST', 'A'].filter((name) => originOf(name) !== null).sort()).toEqual(
            ['PORT', 'HOST', 'A'].filter((name) => name in values).sort(),
          )
        } catch (error) {
          if (!(error instanceof UnusableSettings)) throw error
        }
      })
    }),
    { numRuns: propertyRuns(2000) },
  )
})

describe('which file it is', () => {
  test('.env in the working directory, for the service and for a command, and ENV_FILE="" reads none', async () => {
    await using folder = await openTestFolder()
    await writeFile(join(folder.path, '.env'), '# settings\nPORT=one\n')
    const own = { folder: folder.path }
    const said = 'paper-round: PORT (.env, line 2): is not a port; write a number from 0 (any free one) to 65535\n'
    expect(await runProgram('main', [], {}, own)).toMatchObject({ code: 2, stderr: said })
    expect(await runProgram('admin', ['subscribers', 'count'], {}, own)).toMatchObject({ code: 2, stderr: said })
    expect(await runProgram('main', ['apy'], { ENV_FILE: '' }, own)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no role apy'),
    })
  })

  test('one that ENV_FILE names must be there', () => {
    expect(() => readSettingsFile({ ENV_FILE: '/nowhere/settings.env' })).toThrow(
      'ENV_FILE: there is no file /nowhere/settings.env; leave it out to use .env',
    )
  })

  test('a folder in its place is named', async () => {
    await using folder = await openTestFolder()
    await mkdir(join(folder.path, 'env'))
    expect(() => readSettingsFile({ ENV_FILE: join(folder.path, 'env') })).toThrow('cannot be read (EISDIR)')
  })
})
