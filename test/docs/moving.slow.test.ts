/** docs/moving.md, followed to the letter in both directions, while a reader has old emails in their inbox. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { openSite } from '../support/browser/http-client.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { writeDays } from '../support/fixtures/papers.ts'
import { openSmtpSink } from '../support/servers/smtp-sink.ts'

const ROOT = join(import.meta.dirname, '../..')
const PARTS = ['package.json', 'node_modules', 'src', 'workers', 'migrations', 'templates']
const POLL = { timeout: 90_000, interval: 50 }
const ADA = 'ada@example.org'

/** The commands of a section, in order. */
const readSection = async (heading: string): Promise<{ language: string; text: string }[]> => {
  const page = await readFile(join(ROOT, 'docs/moving.md'), 'utf8')
  const [, section] = page.split(`\n## ${heading}\n`)
  if (section === undefined) throw new Error(`docs/moving.md has no section ${heading}`)
  return [...(section.split('\n## ')[0] ?? '').matchAll(/^ *```(\w+)\n(.*?)^ *```/gms)].map(
    ([, language = '', text = '']) => ({ language, text: text.replaceAll(/^ {3}/gm, '') }),
  )
}

/** A folder as after `git clone` and `npm ci`, in which commands are typed. */
const openClone = async (settings: Record<string, string>) => {
  const folder = await openTestFolder(0o711)
  for (const part of PARTS) await symlink(join(ROOT, part), join(folder.path, part))
  await writeFile(
    join(folder.path, '.env'),
    Object.entries(settings)
      .map(([name, value]) => `${name}="${value}"\n`)
      .join(''),
  )
  const type = (command: string, clock: string) =>
    spawn('bash', ['-euo', 'pipefail', '-c', command], {
      cwd: folder.path,
      detached: true,
      env: {
        PATH: process.env.PATH,
        HOME: folder.path,
        CLOCK: clock,
        NODE_OPTIONS: process.env.NODE_OPTIONS,
        COMPILED_MJML: process.env.COMPILED_MJML,
      },
    })
  return {
    /** Types a command that ends, and resolves to what it printed. */
    async run(command: string, clock: string): Promise<string> {
      const child = type(command, clock)
      let printed = ''
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          printed += text
        })
      const [code] = await once(child, 'close')
      expect([command, code, printed]).toEqual([command, 0, printed])
      return printed
    },
    /** Types a command that starts the service. */
    async start(command: string, clock: string) {
      const child = type(command, clock)
      const ended = once(child, 'close')
      let printed = ''
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          printed += text
        })
      await expect.poll(() => printed, POLL).toMatch(/is ready|"msg":"Paper Round is ready/)
      const url = /(?:"site":"|site +)(http:[^"\s]+)/.exec(printed)?.[1] ?? ''
      return {
        site: openSite(url),
        /** Ctrl-C. */
        async stop() {
          process.kill(-(child.pid ?? 0), 'SIGINT')
          await ended
        },
      }
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

test('docs/moving.md leads to a Postgres of one’s own and back: old links work, nothing is sent before it is let go, and no paper comes twice', {
  timeout: 600_000,
}, async () => {
  await using server = await openTestDatabase({ empty: true })
  await using sink = await openSmtpSink()
  await using papers = await openTestFolder(0o711)
  await writeDays(papers.path, ['2026-04-10', '2026-04-13', '2026-04-14', '2026-04-15', '2026-04-16'], ['robotics'])
  await using clone = await openClone({
    PORT: '0',
    MAILBOX_PORT: '0',
    SMTP_URL: `${sink.url}?requireTLS=false`,
    MAIL_FROM: 'round@example.net',
    PAPER_SOURCES: `file:${papers.path}`,
  })
  const mails = async (count: number): Promise<string[]> => {
    await expect.poll(() => sink.messages.length, POLL).toBe(count)
    return sink.messages.map(({ raw }) => raw.replace(/=\r\n/g, ''))
  }
  const linkIn = (raw: string | undefined, name: string) =>
    new RegExp(`/${name}/[\\w-]{43}`).exec(raw ?? '')?.[0] ?? name
  const papersIn = (raw: string | undefined) => new Set(raw?.match(/arxiv\.org\/abs\/[\d.]+/g))

  const owner = `moving_${Math.random().toString(36).slice(2, 10)}`
  const admin = new Client({ connectionString: server.url })
  await admin.connect()
  await using _ = {
    async [Symbol.asyncDispose]() {
      await admin.query(`drop database if exists ${owner}`)
      await admin.query(`drop role if exists ${owner}`)
      await admin.end()
    },
  }
  /** The page’s name for the user and the database, as those of this test. */
  const own = (text: string): string =>
    text
      .replaceAll(/(?<=create role |create database |owner |postgres:\/\/)paper_round|(?<=\/)paper_round(?=")/g, owner)
      .replace('@127.0.0.1/', `@${new URL(server.url).host}/`)

  // Day 1, embedded: she subscribes, and has her welcome.
  const first = await clone.start('npm start', '2026-04-13T20:00:00Z')
  await first.site.post('/subscribe', { email: ADA, topics: ['robotics'], frequency: 'daily', timezone: 'UTC' })
  await first.site.post(linkIn((await mails(1))[0], 'confirm'))
  const [, welcome] = await mails(2)
  await first.stop()

  /** Follows a section; the service comes up held at `clock`, and is let go with the digest of that morning. */
  const move = async (heading: string, clock: string, count: number) => {
    let service: Awaited<ReturnType<typeof clone.start>> | null = null
    for (const { language, text } of await readSection(heading)) {
      if (language === 'sql') for (const line of own(text).trim().split('\n')) await admin.query(line)
      else if (text.startsWith('npm start')) {
        service = await clone.start(text, clock)
        // Old links work before anything is let go.
        for (const name of ['preferences', 'unsubscribe', 'digests'])
          expect([name, (await service.site.get(linkIn(welcome, name))).status]).toEqual([name, 200])
        expect(await clone.run('npm run admin -- service show', clock)).toContain('held since')
        expect(sink.messages).toHaveLength(count - 1)
      } else {
        const printed = await clone.run(own(text), clock)
        if (text.includes('restore')) expect(printed).toContain('service resume')
      }
    }
    expect(service).not.toBeNull()
    const all = await mails(count)
    await service?.stop()
    return all.at(-1)
  }

  const second = await move('From the embedded database to a Postgres of your own', '2026-04-15T07:00:30Z', 3)
  const third = await move('Back to the embedded database', '2026-04-16T07:00:30Z', 4)

  const seen = [welcome, second, third].map(papersIn)
  for (const papersOfMail of seen) expect(papersOfMail.size).toBeGreaterThan(0)
  const all = seen.flatMap((ids) => [...ids])
  expect(all).toEqual([...new Set(all)])
  expect(sink.messages.map(({ to }) => to)).toEqual([ADA, ADA, ADA, ADA])
})
