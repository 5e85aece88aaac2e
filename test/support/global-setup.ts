/**
 * What the tests of a run share: one Postgres, one Redis and one Chromium, each started when the first test asks for it,
 * and a folder in which every mail template is compiled once.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { findMemoryFolder } from './memory-folder.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Under `/postgres`, `/redis` and `/chromium`: what the host of that service tells the tests, as JSON. */
    hostsUrl: string
  }
}

const HOSTS = {
  postgres: 'databases/postgres-host.ts',
  redis: 'databases/redis-host.ts',
  chromium: 'browser/chromium-host.ts',
}
export type SharedService = keyof typeof HOSTS

const isService = (name: string): name is SharedService => Object.hasOwn(HOSTS, name)

export const setup = async (project: TestProject) => {
  const hosts: ChildProcess[] = []
  const answers = new Map<string, Promise<string>>()
  const startHost = (service: SharedService): Promise<string> => {
    // A process of its own, in a session of its own: it outlives this one, however this one ends, and tidies up.
    const host = spawn(process.execPath, [fileURLToPath(new URL(HOSTS[service], import.meta.url))], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    hosts.push(host)
    return firstLine(host, service)
  }
  const receiver = createServer((request, response) => {
    const service = (request.url ?? '').slice(1)
    if (!isService(service)) return response.writeHead(404).end()
    const answer = answers.get(service) ?? startHost(service)
    answers.set(service, answer)
    answer.then(
      (line) => response.end(line),
      (error) => response.writeHead(500).end(String(error)),
    )
  })
  await once(receiver.listen(0, '127.0.0.1'), 'listening')
  project.provide('hostsUrl', `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`)

  // Before the first host and the first worker are started, which inherit it.
  const memory = process.env.TMPDIR === undefined ? await findMemoryFolder() : null
  if (memory !== null) process.env.TMPDIR = memory
  const compiledMails = await mkdtemp(join(tmpdir(), 'paper-round-mjml-'))
  // Inherited by the workers, and by the programs that they start.
  process.env.COMPILED_MJML = compiledMails
  process.env.NODE_OPTIONS = `--import=${new URL('processes/once-compiled-mjml.ts', import.meta.url)}`

  return async () => {
    receiver.close()
    receiver.closeAllConnections()
    await Promise.all(
      hosts.map(async (host) => {
        host.stdin?.end()
        if (host.exitCode === null && host.signalCode === null) await once(host, 'exit')
      }),
    )
    await rm(compiledMails, { recursive: true, force: true })
  }
}

const firstLine = async (host: ChildProcess, service: SharedService): Promise<string> => {
  if (host.stdout === null) throw new Error('the host has no output')
  for await (const line of createInterface({ input: host.stdout })) return line
  throw new Error(`no ${service} for the tests; what its host said is above`)
}
