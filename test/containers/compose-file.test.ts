/** What can be checked of docker-compose.yml, .env.example and the Dockerfile without Docker: that they fit the settings and the code. */
import { cp, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readConfig } from '../../workers/config/config.ts'
import { SETTING_NAMES } from '../../workers/config/settings.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { faultsOf } from '../support/fixtures/settings.ts'
import { startProgram } from '../support/processes/program.ts'
import { findFreePort } from '../support/servers/free-port.ts'

const ROOT = join(import.meta.dirname, '../..')
const ROLES = ['migrate', 'api', 'scheduler', 'mailer', 'maintain']
const COMPOSE = await readFile(join(ROOT, 'docker-compose.yml'), 'utf8')
const DOCKERFILE = await readFile(join(ROOT, 'Dockerfile'), 'utf8')
const EXAMPLE = await readFile(join(ROOT, '.env.example'), 'utf8')

interface Service {
  image: string
  build?: string
  environment?: Record<string, string>
  ports?: string[]
}

const VARIABLE = /\$\{([A-Z_]+):-([^}]*)\}/g

/** The services with these variables filled in. */
const readServices = (variables: Record<string, string>): Record<string, Service> => {
  const text = COMPOSE.replace(VARIABLE, (_, name, fallback) => variables[name] || fallback)
  // A dollar sign that is left would be a variable without a value for those who have no .env.
  expect(text).not.toContain('$')
  return parse(text, { merge: true }).services
}

/** The settings of a role of the stack: the image's own, and over them those of the file. */
const settingsOf = (service: Service | undefined): Record<string, string> => {
  const [, line = ''] = /^ENV (.*)$/m.exec(DOCKERFILE) ?? []
  const image = Object.fromEntries(line.split(' ').map((pair) => pair.split('=') as [string, string]))
  return { ...image, ...service?.environment }
}

const readExample = (): Record<string, string> =>
  Object.fromEntries([...EXAMPLE.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]))

describe('docker-compose.yml', () => {
  test('gives every role, without any variable set, settings that it can start with', () => {
    const services = readServices({})
    for (const role of ROLES) expect(faultsOf(settingsOf(services[role]))).toEqual([])
  })

  test('does not serve the public with any default that is meant for trying out', () => {
    const { api } = readServices({ NODE_ENV: 'production' })
    const named = faultsOf(settingsOf(api)).map((fault) => fault.replace(/:.*/, ''))
    expect(named.sort()).toEqual(['BASE_URL', 'DATABASE_URL', 'MAIL_FROM', 'POSTAL_ADDRESS', 'SECRET_KEY', 'SMTP_URL'])
  })

  test('serves the public with the first part of .env.example filled in', () => {
    const own = {
      BASE_URL: 'https://round.example.org',
      SECRET_KEY: 'a'.repeat(64),
      POSTGRES_PASSWORD: 'b'.repeat(48),
      POSTGRES_SERVING_PASSWORD: 'c'.repeat(48),
      SMTP_URL: 'smtp://round:secret@mail.example.org:587',
      MAIL_FROM: 'Paper Round <round@example.org>',
      POSTAL_ADDRESS: '1 Example Street',
    }
    const empty = Object.entries(readExample()).filter(([, value]) => value === '')
    expect(empty.slice(0, 7).map(([name]) => name)).toEqual(Object.keys(own))
    const services = readServices({ ...readExample(), ...own })
    for (const role of ROLES) {
      expect(readConfig(settingsOf(services[role]))).toMatchObject({
        production: true,
        postalAddress: '1 Example Street',
      })
      // Only they own the tables.
      const owns = role === 'migrate' || role === 'maintain'
      const password = owns ? own.POSTGRES_PASSWORD : own.POSTGRES_SERVING_PASSWORD
      expect([role, services[role]?.environment?.DATABASE_URL]).toEqual([
        role,
        expect.stringContaining(`:${password}@`),
      ])
    }
    expect(services.migrate?.environment?.SERVING_DATABASE_URL).toBe(services.api?.environment?.DATABASE_URL)
    expect(services.postgres?.environment?.POSTGRES_PASSWORD).toBe(own.POSTGRES_PASSWORD)
    const { bounces } = readServices({ ...readExample(), ...own, BOUNCE_DOMAIN: 'bounces.example.org' })
    expect(readConfig(settingsOf(bounces)).bounces).toEqual({ host: '0.0.0.0', port: 2525 })
  })

  test('publishes the site, Mailpit and the bounce receiver, on this machine only, and no store', () => {
    const published = Object.entries(readServices({})).flatMap(([name, { ports = [] }]) =>
      ports.map((port) => [name, port.replace(/:\d+:\d+$/, '')]),
    )
    expect(published).toEqual([
      ['api', '127.0.0.1'],
      ['api', '127.0.0.1'],
      ['bounces', '127.0.0.1'],
      ['mailpit', '127.0.0.1'],
    ])
  })

  test('builds the image once for all roles', () => {
    const services = readServices({})
    const built = Object.entries(services).filter(([, { build }]) => build !== undefined)
    expect(built.map(([name]) => name)).toEqual(['migrate'])
    expect(ROLES.map((role) => services[role]?.image)).toEqual(ROLES.map(() => built[0]?.[1].image))
  })

  test('passes every setting on, except those that the image sets and those that make no sense in it', () => {
    const noSense = [
      'ENV_FILE',
      'SERVING_DATABASE_URL',
      'HOST',
      'PORT',
      'HEALTH_PORT',
      'ADMIN_PORT',
      'DATA_DIR',
      'MIN_FREE_MB',
      'MAILBOX_PORT',
      'CLOCK',
      // What it names is mounted where it is looked for.
      'BRANDING_DIR',
      'BOUNCES_HOST',
      'BOUNCES_PORT',
    ]
    const passed = Object.keys(readServices({}).api?.environment ?? {}).filter((name) => name !== 'NODE_ENV')
    expect([...passed, ...noSense].sort()).toEqual([...SETTING_NAMES].sort())
  })
})

test('.env.example explains each variable of docker-compose.yml, and no other', () => {
  // Compose reads the last one itself.
  const used = new Set([...COMPOSE.matchAll(VARIABLE)].map(([, name]) => name).concat('COMPOSE_PROFILES'))
  expect(Object.keys(readExample()).sort()).toEqual([...used].sort())
  for (const name of used)
    expect(EXAMPLE, `a comment before ${name}`).toMatch(new RegExp(`^# .*\\n(?:[A-Z_]+=.*\\n)*${name}=`, 'm'))
})

test('the Dockerfile copies all that the roles need', async () => {
  await using folder = await openTestFolder(0o711)
  await using database = await openTestDatabase()
  const final = DOCKERFILE.slice(DOCKERFILE.lastIndexOf('\nFROM '))
  const copied = [...final.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '))
  for (const path of copied)
    await cp(join(ROOT, path), join(folder.path, path), { recursive: true, verbatimSymlinks: true })
  await symlink(join(ROOT, 'node_modules'), join(folder.path, 'node_modules'))
  const port = await findFreePort()
  const settings = {
    DATABASE_URL: database.url,
    DATA_DIR: join(folder.path, 'data'),
    PORT: String(port),
    MAILBOX_PORT: '0',
    PAPER_SOURCES: 'sample',
    LOG_LEVEL: 'warn',
  }
  await using service = startProgram('main', [], settings, { root: folder.path })
  await service.said('is ready')
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
  expect(await service.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' })
})
