/** The packages of others: floors below which a known weakness lies, where they come from, and their licences. */

import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { openTestFolder } from './support/fixtures/folder.ts'

const ROOT = join(import.meta.dirname, '..')
interface Locked {
  version?: string
  integrity?: string
  resolved?: string
  link?: boolean
  license?: string
}
const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>
}

const numbersOf = (version: string): number[] => version.split(/[.-]/).slice(0, 3).map(Number)
const isBelow = (version: string, floor: string): boolean => {
  const [has, needs] = [numbersOf(version), numbersOf(floor)]
  const at = has.findIndex((number, i) => number !== needs[i])
  return at >= 0 && (has[at] ?? 0) < (needs[at] ?? 0)
}

test.each([
  ['fastify', '5.8.3'],
  ['nodemailer', '9.0.5'],
  ['mjml', '5.0.0'],
])('no %s below %s is installed, by whatever package', (name, floor) => {
  const found = Object.entries(packages).filter(([path]) => path.endsWith(`node_modules/${name}`))
  expect(found.length).toBeGreaterThan(0)
  for (const [path, { version = '0' }] of found)
    expect([path, version, isBelow(version, floor)]).toEqual([path, version, false])
})

test('every package has its hash in package-lock.json, and none comes from elsewhere than a registry', () => {
  for (const [path, { integrity, resolved, link }] of Object.entries(packages)) {
    if (path === '') continue
    expect([path, integrity]).toEqual([path, expect.stringMatching(/^sha512-/)])
    expect([path, resolved ?? '', link ?? false]).toEqual([path, expect.not.stringMatching(/git|file:|http:/), false])
  }
})

test('no install script of a package runs', async () => {
  expect(await readFile(join(ROOT, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m)
})

test('npm run licences lists all of them, and fails on one that is not allowed', async () => {
  const list = (...lock: string[]) => promisify(execFile)(process.execPath, [join(ROOT, '.ci/licences.ts'), ...lock])
  expect((await list()).stdout).toContain('fastify 5.')
  await using folder = await openTestFolder()
  const lock = join(folder.path, 'package-lock.json')
  await writeFile(
    lock,
    JSON.stringify({ packages: { '': {}, 'node_modules/mine': { version: '1.0.0', license: 'AGPL-3.0' } } }),
  )
  await expect(list(lock)).rejects.toMatchObject({ stderr: 'not allowed: mine 1.0.0: AGPL-3.0\n' })
})
