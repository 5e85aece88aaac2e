/** docs/install.md and the samples that it names: settings that can be used, files that are there, and units and proxies that verify. */
import { execFile } from 'node:child_process'
import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseEnv, promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { SETTING_NAMES } from '../../workers/config/settings.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { faultsOf } from '../support/fixtures/settings.ts'
import { findProgram } from '../support/processes/find-program.ts'

const ROOT = join(import.meta.dirname, '../..')
const UNITS = join(ROOT, 'deploy/systemd')
const GUIDE = await readFile(join(ROOT, 'docs/install.md'), 'utf8')
const run = promisify(execFile)

/** What a shell would make of it where the guide makes secrets. */
const readSettings = (): Record<string, string> => {
  const [, block] = /tee \.env >\/dev\/null <<END\n(.*?)^ *END$/ms.exec(GUIDE) ?? []
  if (block === undefined) throw new Error('docs/install.md writes no .env')
  const text = block.replaceAll(/^ +/gm, '').replaceAll(/\$\(openssl rand -hex 32\)/g, '7'.repeat(64))
  return parseEnv(text.replaceAll('$PASSWORD', 'secret')) as Record<string, string>
}

test('the settings that the guide writes are usable in production as they stand', () => {
  const settings = readSettings()
  expect(settings.NODE_ENV).toBe('production')
  expect(faultsOf(settings)).toEqual([])
})

test('every setting and every file of the project that the guide names exists', async () => {
  const others = new Set([
    'NODE_ENV',
    'COMPOSE_PROFILES',
    'MAILERS',
    'MAILPITS',
    'PUBLISH_BOUNCES',
    'POSTGRES_PASSWORD',
    'POSTGRES_SERVING_PASSWORD',
  ])
  const named = [...GUIDE.matchAll(/`([A-Z][A-Z_]{3,})(?:=[^`]*)?`/g)].map(([, name = '']) => name)
  expect(named.length).toBeGreaterThan(15)
  const unknown = named.filter((name) => !others.has(name) && !SETTING_NAMES.some((setting) => setting === name))
  // Words to be replaced by the reader.
  expect([...new Set(unknown)]).toEqual([])
  const files = [...GUIDE.matchAll(/\b(?:deploy\/(?:systemd|proxy)\/[\w.@-]+|\.env\.example)/g)].map(([path]) => path)
  const links = [...GUIDE.matchAll(/\]\(([\w./-]+)(?:#[\w-]+)?\)/g)].map(([, path = '']) => join('docs', path))
  for (const path of [...files, ...links]) await access(join(ROOT, path))
})

const analyze = await findProgram('systemd-analyze')

describe.skipIf(analyze === null)('systemd-analyze', () => {
  /** The units, with a program that is there in the place of the one that `npm ci` brings to /opt. */
  const withUnits = async (use: (paths: string[]) => Promise<void>): Promise<void> => {
    await using folder = await openTestFolder()
    const names = (await readdir(UNITS, { recursive: true })).filter((name) => /\.(?:service|timer|conf)$/.test(name))
    for (const name of names) {
      const text = await readFile(join(UNITS, name), 'utf8')
      const path = join(folder.path, name)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, text.replaceAll('/opt/paper-round/node_modules/.bin/node', process.execPath))
    }
    const started = names.filter((name) => !name.endsWith('.conf'))
    await use(started.map((name) => join(folder.path, name.replace('@.', '@mailer.'))))
  }

  test('finds no fault in the units', () =>
    withUnits(async (paths) => {
      const { stdout, stderr } = await run(analyze ?? '', ['verify', '--man=no', ...paths])
      expect(stdout + stderr).toBe('')
    }))

  test('rates what they may do as little', () =>
    withUnits(async (paths) => {
      const services = paths.filter((path) => path.endsWith('.service') && !path.includes('@'))
      for (const path of services) await run(analyze ?? '', ['security', '--offline=true', '--threshold=20', path])
    }))
})
