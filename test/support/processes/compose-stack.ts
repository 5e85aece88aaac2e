/** The stack of docker-compose.yml for a test: in a project of its own, with free ports, and gone at the end with all it held. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import PostalMime from 'postal-mime'
import { linksOf } from '../browser/mailbox-reader.ts'
import { openTestFolder } from '../fixtures/folder.ts'
import { writeDays } from '../fixtures/papers.ts'
import { findFreePort } from '../servers/free-port.ts'
import type { SinkMessage } from '../servers/smtp-sink.ts'

export interface StackMail {
  html: string
  headers: Map<string, string>
  /** Paths of the links that go to the service, by their first part. */
  links: Map<string, string>
}

export interface Stack extends AsyncDisposable {
  url: string
  /** Runs `docker compose …` on this stack and resolves to what it printed. */
  compose(...words: string[]): Promise<string>
  docker(...words: string[]): Promise<string>
  /** Changes variables of docker-compose.yml, as in `.env`, for what is run from now on. */
  set(variables: Record<string, string>): void
  /** The containers of a service, those included that have ended. */
  containers(service: string): Promise<string[]>
  /** Resolves once every container of these services is `healthy`, or `unhealthy`. */
  become(state: 'healthy' | 'unhealthy', ...services: string[]): Promise<void>
  /** An operator's command beside the service; resolves to the object that it printed. */
  admin<T>(...words: string[]): Promise<T>
  /** Rows of a query, as text. */
  query(sql: string): Promise<string[][]>
  /** What was sent after the first `count`, as the sink took it down. */
  messagesAfter(count: number): Promise<SinkMessage[]>
  /** Every mail to an address, oldest first. */
  mailsTo(address: string): Promise<StackMail[]>
  /** Waits for the nth mail (1 is the first) to an address. */
  waitForMail(address: string, nth: number): Promise<StackMail>
  /** How many mails were sent, without reading them. */
  count(): Promise<number>
  /** Gives the source of papers one more list day. */
  addDays(days: string[]): Promise<void>
}

const ROOT = join(import.meta.dirname, '../../..')
const run = promisify(execFile)
const PATIENCE = 60_000
const LOOK_EVERY = 100
const OUTPUT = 64 * 1024 * 1024

/** Docker's own `docker compose` where it is, or the older program. */
const findCompose = async (): Promise<string[]> => {
  const own = await run('docker', ['compose', 'version']).catch(() => null)
  return own === null ? ['docker-compose'] : ['docker', 'compose']
}

export const until = async <T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T> => {
  const deadline = performance.now() + PATIENCE
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE} ms: ${what}`)
    await delay(LOOK_EVERY)
  }
}

/** Reads a growing log of the sink as far as it has come; each message is read once, and opened when it is asked for. */
const followLog = (path: string) => {
  const entries: { to: string; at: number; length: number }[] = []
  let end = 0
  const read = async (at: number, length: number): Promise<Buffer> => {
    await using file = await open(path)
    return (await file.read(Buffer.alloc(length), 0, length, at)).buffer
  }
  const look = async (): Promise<typeof entries> => {
    await using file = await open(path)
    const fresh = await read(end, (await file.stat()).size - end)
    // A last line without its end was never answered for and does not count.
    for (let at = 0, next = fresh.indexOf(10); next >= 0; at = next + 1, next = fresh.indexOf(10, at)) {
      const { to } = JSON.parse(fresh.toString('utf8', at, next)) as SinkMessage
      entries.push({ to, at: end + at, length: next - at })
    }
    const last = entries.at(-1)
    end = last === undefined ? 0 : last.at + last.length + 1
    return entries
  }
  return {
    count: async () => (await look()).length,
    list: async (wanted: (to: string, n: number) => boolean) => {
      const chosen = (await look()).filter(({ to }, n) => wanted(to, n))
      return Promise.all(
        chosen.map(async ({ at, length }) => JSON.parse((await read(at, length)).toString('utf8')) as SinkMessage),
      )
    },
  }
}

const readMail = async (message: SinkMessage): Promise<StackMail> => {
  const { html = '', headers } = await PostalMime.parse(message.raw)
  return {
    html,
    headers: new Map(headers.map(({ key, value }) => [key, value])),
    links: linksOf(html),
  }
}

/** The environment of `docker compose` for a stack whose files are in this folder and whose site is on this port. */
const environmentOf = async (folder: string, port: number): Promise<NodeJS.ProcessEnv> => {
  // What else is set here is none of the stack's business: it would take BASE_URL and the like from us.
  const own = ['PATH', 'HOME', ...Object.keys(process.env).filter((name) => name.startsWith('DOCKER_'))]
  return {
    ...Object.fromEntries(own.map((name) => [name, process.env[name]])),
    PAPER_ROUND_IMAGE: process.env.PAPER_ROUND_IMAGE || 'paper-round-test',
    PUBLISH_SITE: `127.0.0.1:${port}`,
    PUBLISH_ADMIN: `127.0.0.1:${await findFreePort()}`,
    PUBLISH_MAILPIT: `127.0.0.1:${await findFreePort()}`,
    STORY_FOLDER: folder,
  }
}

/** Builds the image, unless PAPER_ROUND_IMAGE names one that is there, and starts everything; waits until all is well. */
export const startStack = async (days: string[]): Promise<Stack> => {
  const folder = await openTestFolder(0o755)
  await writeDays(join(folder.path, 'papers'), days)
  // Containers write to it as a user who is somebody else here.
  await mkdir(join(folder.path, 'log'))
  await chmod(join(folder.path, 'log'), 0o777)
  const log = join(folder.path, 'log', 'sink.log')
  await writeFile(log, '')

  const [program = '', ...first] = await findCompose()
  const project = `paper-round-test-${randomBytes(4).toString('hex')}`
  const port = await findFreePort()
  const env = await environmentOf(folder.path, port)
  // An .env of this folder is somebody's real installation.
  const noSettings = join(folder.path, 'none.env')
  await writeFile(noSettings, '')
  const files = ['--env-file', noSettings, '-f', 'docker-compose.yml', '-f', 'test/containers/story.yml']
  const compose = async (...words: string[]): Promise<string> => {
    const all = [...first, '--project-directory', ROOT, ...files, '-p', project, ...words]
    return (await run(program, all, { cwd: ROOT, env, maxBuffer: OUTPUT })).stdout
  }
  const docker = async (...words: string[]) => (await run('docker', words, { maxBuffer: OUTPUT })).stdout.trim()
  const containers = async (service: string) =>
    (
      await docker(
        'ps',
        '-aq',
        '--filter',
        `label=com.docker.compose.project=${project}`,
        '--filter',
        `label=com.docker.compose.service=${service}`,
      )
    )
      .split('\n')
      .filter(Boolean)
  const sink = followLog(log)
  const mailsTo = async (address: string) => Promise.all((await sink.list((to) => to === address)).map(readMail))

  const stack: Stack = {
    url: `http://127.0.0.1:${port}`,
    compose,
    docker,
    set: (variables) => void Object.assign(env, variables),
    containers,
    async become(state, ...services) {
      for (const service of services)
        await until(`${service} is ${state}`, async () => {
          const all = await containers(service)
          const states = await Promise.all(all.map((id) => docker('inspect', '-f', '{{.State.Health.Status}}', id)))
          return states.length > 0 && states.every((one) => one === state)
        })
    },
    admin: async (...words) =>
      JSON.parse(await compose('exec', '-T', 'scheduler', 'node', 'workers/admin.ts', '--json', ...words)),
    query: async (sql) =>
      (await compose('exec', '-T', 'postgres', 'psql', '-XAtc', sql))
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('|')),
    messagesAfter: (count) => sink.list((_, n) => n >= count),
    mailsTo,
    waitForMail: (address, nth) => until(`mail ${nth} to ${address}`, async () => (await mailsTo(address))[nth - 1]),
    count: sink.count,
    addDays: (more) => writeDays(join(folder.path, 'papers'), more),
    async [Symbol.asyncDispose]() {
      await compose('down', '-v', '--remove-orphans')
      await folder[Symbol.asyncDispose]()
    },
  }
  try {
    if (!process.env.PAPER_ROUND_IMAGE) await compose('build')
    await compose('up', '-d')
    await stack.become('healthy', 'api', 'scheduler', 'mailer')
    return stack
  } catch (error) {
    console.error(await compose('logs', '--no-color', '--tail=50').catch(() => ''))
    await stack[Symbol.asyncDispose]()
    throw error
  }
}
