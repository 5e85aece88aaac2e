/** The settings of traces, by OpenTelemetry's own names: where they are sent, and how many are. */
import type { Settings } from './settings.ts'

export interface TracingConfig {
  /** `null`: nothing is traced, and nothing of OpenTelemetry is loaded. */
  tracing: {
    /** Without `/v1/traces`. */
    endpoint: string
    headers: Record<string, string>
    serviceName: string
    /** The share of traces that is recorded, 0 to 1. */
    ratio: number
  } | null
}

export const readTracing = ({ get, read, fault }: Settings): TracingConfig => {
  const endpoint = read('OTEL_EXPORTER_OTLP_ENDPOINT', null, readEndpoint)
  const headers = read('OTEL_EXPORTER_OTLP_HEADERS', {}, readHeaders)
  const ratio = read('OTEL_TRACES_SAMPLER_ARG', 1, readRatio)
  for (const name of ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_TRACES_SAMPLER_ARG'] as const)
    if (get('OTEL_EXPORTER_OTLP_ENDPOINT') === null && get(name) !== null)
      fault(name, 'does nothing without OTEL_EXPORTER_OTLP_ENDPOINT')
  const serviceName = get('OTEL_SERVICE_NAME') ?? 'paper-round'
  return { tracing: endpoint === null ? null : { endpoint, headers, serviceName, ratio } }
}

const readEndpoint = (text: string): string => {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new Error('is not a URL; write it as http://collector:4318')
  return text
}

/** `name=value,name=value`, the values encoded as in a URL: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
const readHeaders = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split(',').map((pair) => {
      const [, name, value] = /^\s*([\w-]+)=(\S+)\s*$/.exec(pair) ?? []
      // What stands there may be a secret: it is never repeated.
      if (name === undefined || value === undefined) throw new Error('is not a list of name=value, by comma')
      return [name, decodeURIComponent(value)]
    }),
  )

const readRatio = (text: string): number => {
  const ratio = Number(text)
  if (!/^[\d.]+$/.test(text) || !(ratio >= 0 && ratio <= 1)) throw new Error('is a share from 0 to 1, such as 0.01')
  return ratio
}
