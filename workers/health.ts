/** The health check of the image: asks the process at HEALTH_PORT whether it can do its work. */
import { readConfig } from './config/config.ts'

/** Milliseconds; less than Docker gives a check. */
const TIMEOUT = 4_000
/** Addresses that listen on every interface, and the ones to connect to instead. */
const LOCAL_ADDRESSES = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '[::1]'],
])

try {
  const { host, healthPort } = readConfig(process.env)
  if (healthPort === null) throw new Error('HEALTH_PORT is not set, so there is nothing to check')
  const response = await fetch(`http://${LOCAL_ADDRESSES.get(host) ?? host}:${healthPort}/readyz`, {
    signal: AbortSignal.timeout(TIMEOUT),
  })
  console.log(await response.text())
  process.exitCode = response.ok ? 0 : 1
} catch (error) {
  const { message, cause } = error as Error
  console.log(cause instanceof Error ? cause.message : message)
  process.exitCode = 1
}
