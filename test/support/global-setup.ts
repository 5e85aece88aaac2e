/** Gives every test of a run the same Postgres, which is only started when the first of them asks for it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers any request with where the databases are, as JSON. */
    postgresDoor: string
  }
}

export const setup = async (project: TestProject) => {
  let keeper: ChildProcess | null = null
  let answer: Promise<string> | null = null
  const ask = (): Promise<string> => {
    // A process of its own, in a session of its own: it outlives this one, however this one ends, and tidies up.
    keeper = spawn(process.execPath, [fileURLToPath(new URL('postgres-keeper.ts', import.meta.url))], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    return firstLine(keeper)
  }
  const door = createServer((_request, response) => {
    answer ??= ask()
    answer.then(
      (line) => response.end(line),
      (error) => response.writeHead(500).end(String(error)),
    )
  })
  await once(door.listen(0, '127.0.0.1'), 'listening')
  project.provide('postgresDoor', `http://127.0.0.1:${(door.address() as AddressInfo).port}`)

  return async () => {
    door.close()
    door.closeAllConnections()
    if (keeper === null) return
    keeper.stdin?.end()
    if (keeper.exitCode === null && keeper.signalCode === null) await once(keeper, 'exit')
  }
}

const firstLine = async (child: ChildProcess): Promise<string> => {
  if (child.stdout === null) throw new Error('the keeper has no output')
  for await (const line of createInterface({ input: child.stdout })) return line
  throw new Error('no Postgres for the tests; what the keeper said stands above')
}
