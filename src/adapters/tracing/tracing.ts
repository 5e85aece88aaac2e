/**
 * Traces by OpenTelemetry, sent as OTLP over HTTP to the collector that a setting names: requests, jobs of the queue, mails
 * and the statements of each. Loaded only where there is a collector.
 *
 * Libraries put whatever they see into a span, such as a path with its token, or an error of the database with the address
 * that was refused. So a span leaves with what is listed here alone: names of ours, numbers, codes and ids.
 */
import { FastifyOtelInstrumentation } from '@fastify/otel'
import {
  context,
  propagation,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { BullMQOtel } from 'bullmq-otel'
import { traceStatements } from './statement-spans.ts'

export interface TracingOptions {
  /** The collector's address, to which `/v1/traces` is added. */
  endpoint: string
  headers: Record<string, string>
  serviceName: string
  version: string
  /** The share of traces that is recorded, 0 to 1. */
  ratio: number
  onError: (error: unknown) => void
}

export interface Tracing {
  /** For the site: a span for each request. */
  requests: ReturnType<FastifyOtelInstrumentation['plugin']>
  /** For BullMQ: a span for each job, with the one that woke it. */
  jobs: BullMQOtel
  /** A trace of its own for an attempt at a mail, whichever job it belongs to: a job may send a million. */
  mail: TraceWork
  /** Within it, the conversation with the mail server. */
  conversation: TraceWork
  /** Sends what is left, for a moment at most. */
  close(): Promise<void>
}

/** Does `work` within a span with these facts; `outcome` names what came of it. */
type TraceWork = <T>(
  facts: Record<string, string | number | null>,
  work: () => Promise<T>,
  outcome: (done: T) => string,
) => Promise<T>

/** All that a span may say. Names of spans are the library's fixed words, or ours. */
const SAID = new Set([
  'http.request.method',
  'http.route',
  'http.response.status_code',
  'db.system.name',
  'db.operation.name',
  'db.response.status_code',
  'bullmq.queue.name',
  'bullmq.job.id',
  'bullmq.job.name',
  'bullmq.worker.name',
  'mail.stream',
  'mail.id',
  'mail.edition',
  'mail.outcome',
])
/** Milliseconds. */
const CLOSE_TIMEOUT = 2_000
const EXPORT_TIMEOUT = 5_000

/** The span with nothing but what is listed; events and messages of a status hold the texts of errors. */
const redacted = (span: ReadableSpan): ReadableSpan => {
  const attributes = Object.fromEntries(Object.entries(span.attributes).filter(([name]) => SAID.has(name)))
  const links = span.links.map((link) => ({ ...link, attributes: {} }))
  return Object.create(span, {
    attributes: { value: attributes },
    events: { value: [] },
    links: { value: links },
    status: { value: { code: span.status.code } },
  })
}

/** Sends spans redacted; `onError` is told of a collector that is away once, until it is back. */
const redacting = (exporter: SpanExporter, onError: (error: unknown) => void): SpanExporter => {
  let failing = false
  return {
    export: (spans, done) =>
      exporter.export(spans.map(redacted), (result) => {
        if (result.error !== undefined && !failing) onError(result.error)
        failing = result.error !== undefined
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  }
}

const createTraceWork =
  (tracer: Tracer, name: string, options: SpanOptions): TraceWork =>
  (facts, work, outcome) =>
    tracer.startActiveSpan(name, options, async (span) => {
      for (const [fact, value] of Object.entries(facts)) if (value !== null) span.setAttribute(fact, value)
      try {
        const done = await work()
        span.setAttribute('mail.outcome', outcome(done))
        return done
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    })

/** Opens the tracing of this process, of which there is one: OpenTelemetry's parts find each other by globals. */
export const openTracing = ({ endpoint, headers, serviceName, version, ratio, onError }: TracingOptions): Tracing => {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers,
    timeoutMillis: EXPORT_TIMEOUT,
  })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
    sampler: new TraceIdRatioBasedSampler(ratio),
    spanProcessors: [new BatchSpanProcessor({ exporter: redacting(exporter, onError) })],
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(provider)
  const tracer: Tracer = provider.getTracer('paper-round')
  const fastify = new FastifyOtelInstrumentation({
    recordExceptions: false,
    instrumentHooks: false,
    instrumentHandler: false,
    // A supervisor asks all the time.
    ignorePaths: ({ url }: { url: string }) => /^\/(?:healthz|readyz|metrics)$/.test(url),
  })
  fastify.setTracerProvider(provider)
  const untrace = traceStatements(tracer)
  return {
    requests: fastify.plugin(),
    jobs: new BullMQOtel({ tracerName: 'paper-round', version, enableMetrics: false }),
    mail: createTraceWork(tracer, 'mail', { root: true, kind: SpanKind.INTERNAL }),
    conversation: createTraceWork(tracer, 'smtp', { kind: SpanKind.CLIENT }),
    async close() {
      untrace()
      const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_TIMEOUT).unref())
      await Promise.race([provider.shutdown().catch(onError), late])
      trace.disable()
      propagation.disable()
      context.disable()
    },
  }
}
