/**
 * Runs the README's commands as they stand, in a fresh clone: every line of every `sh` block, in order, and of every
 * `bash` block, which are those that need Docker, where an engine answers.
 *
 * A block that starts the service is left running until it says that it is ready; the blocks after it run beside it.
 * At the end it is stopped with Ctrl-C's signal and must end cleanly.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const READY = /Paper Round is ready/
const PATIENCE_MS = 300_000

const folder = mkdtempSync(join(tmpdir(), 'paper-round-readme-'))
const clone = join(folder, 'paper-round')
execFileSync('git', ['clone', '--quiet', process.cwd(), clone], { stdio: 'inherit' })
const readme = readFileSync(join(clone, 'README.md'), 'utf8')
const all = [...readme.matchAll(/^```(sh|bash)\n(.*?)^```/gms)].map(([, kind, block = '']) => ({ kind, block }))
const hasDocker =
  spawnSync('docker', ['version']).status === 0 && spawnSync('docker', ['compose', 'version']).status === 0
const blocks = all.filter(({ kind }) => kind === 'sh' || hasDocker).map(({ block }) => block)
if (blocks.length === 0) throw new Error('the README has no commands')

let service: ChildProcess | undefined

const run = (command: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const starts = /npm start/.test(command)
    console.log(`\n$ ${command.trim()}`)
    const child = spawn('bash', ['-euo', 'pipefail', '-c', command], {
      cwd: clone,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    })
    const timer = setTimeout(() => reject(new Error(`not done in time: ${command}`)), PATIENCE_MS)
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      process.stdout.write(chunk)
      printed += chunk
      if (starts && READY.test(printed)) {
        clearTimeout(timer)
        service = child
        resolve()
      }
    })
    child.on('exit', (code) => {
      clearTimeout(timer)
      if (code === 0) resolve()
      else reject(new Error(`exit code ${code}: ${command}`))
    })
  })

const stop = async (): Promise<void> => {
  const running = service
  service = undefined
  if (running?.pid === undefined || running.exitCode !== null) return
  const ended = new Promise<void>((resolve) => running.on('exit', () => resolve()))
  process.kill(-running.pid, 'SIGINT')
  await ended
}

try {
  for (const block of blocks) {
    // The service is stopped before a second one is started.
    if (/npm start|docker compose up/.test(block)) await stop()
    // The tests have a step of their own.
    await run(block.replaceAll(/npm test\b.*$/gm, ':'))
  }
} finally {
  await stop()
  if (hasDocker) spawnSync('docker', ['compose', 'down', '--volumes'], { cwd: clone, stdio: 'inherit' })
  rmSync(folder, { recursive: true, force: true })
}
console.log(`\n${blocks.length} blocks of the README ran.`)
if (!hasDocker) console.log(`${all.length - blocks.length} were left out: no Docker here.`)
