/** Opens the traces of a process where a setting asks for them: only then is anything of OpenTelemetry loaded. */
import type { Tracing } from '../src/adapters/tracing/tracing.ts'
import type { Log } from '../src/core/log.ts'
import { describeError } from '../src/core/redact.ts'
import type { Config } from './config/config.ts'
import { UsageError } from './exit.ts'
import { readVersion } from './version.ts'

/** `null` where nothing is traced. Throws `UsageError` where the packages were left out of the installation. */
export const openTracingOf = async ({ tracing }: Pick<Config, 'tracing'>, log: Log): Promise<Tracing | null> => {
  if (tracing === null) return null
  const { openTracing } = await import('../src/adapters/tracing/tracing.ts').catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new UsageError(
      'OTEL_EXPORTER_OTLP_ENDPOINT needs packages that are not installed: run npm ci without --omit=optional',
    )
  })
  const onError = (error: unknown) =>
    log.warn(
      { error: describeError(error) },
      'traces could not be sent to OTEL_EXPORTER_OTLP_ENDPOINT; they are dropped',
    )
  return openTracing({ ...tracing, version: readVersion(), onError })
}
