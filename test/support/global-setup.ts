/** Gives every test of a run the same Postgres and Redis, which are only started when the first of them asks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Under `/postgres` and `/redis`: what the keeper of that service tells the tests, as JSON. */
    hostsUrl: string
  }
}

const SERVICES = ['postgres', 'redis'] as const
export type SharedService = (typeof SERVICES)[number]

export const setup = async (project: TestProject) => {
  const hosts: ChildProcess[] = []
  const answers = new Map<string, Promise<string>>()
  const ask = (service: SharedService): Promise<string> => {
    // A process of its own, in a session of its own: it outlives this one, however this one ends, and tidies up.
    const host = spawn(process.execPath, [fileURLToPath(new URL(`databases/${service}-host.ts`, import.meta.url))], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    hosts.push(host)
    return firstLine(host, service)
  }
  const receiver = createServer((request, response) => {
    const service = SERVICES.find((one) => request.url === `/${one}`)
    if (service === undefined) return response.writeHead(404).end()
    const answer = answers.get(service) ?? ask(service)
    answers.set(service, answer)
    answer.then(
      (line) => response.end(line),
      (error) => response.writeHead(500).end(String(error)),
    )
  })
  await once(receiver.listen(0, '127.0.0.1'), 'listening')
  project.provide('hostsUrl', `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`)

  return async () => {
    receiver.close()
    receiver.closeAllConnections()
    await Promise.all(
      hosts.map(async (host) => {
        host.stdin?.end()
        if (host.exitCode === null && host.signalCode === null) await once(host, 'exit')
      }),
    )
  }
}

const firstLine = async (child: ChildProcess, service: SharedService): Promise<string> => {
  if (child.stdout === null) throw new Error('the keeper has no output')
  for await (const line of createInterface({ input: child.stdout })) return line
  throw new Error(`no ${service} for the tests; what its keeper said stands above`)
}
