/** Asks the process at HEALTH_PORT whether it can do its work: the health check of the image. */
import { readConfig } from './config/config.ts'

/** Less than the engine gives a check. Milliseconds. */
const PATIENCE = 4_000
/** Addresses that one can listen on, but not ask. */
const EVERYWHERE = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '[::1]'],
])

try {
  const { host, healthPort } = readConfig(process.env)
  if (healthPort === null) throw new Error('HEALTH_PORT is not set: nobody can be asked')
  const response = await fetch(`http://${EVERYWHERE.get(host) ?? host}:${healthPort}/readyz`, {
    signal: AbortSignal.timeout(PATIENCE),
  })
  console.log(await response.text())
  process.exitCode = response.ok ? 0 : 1
} catch (error) {
  const { message, cause } = error as Error
  console.log(cause instanceof Error ? cause.message : message)
  process.exitCode = 1
}
