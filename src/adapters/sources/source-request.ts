/** Requests to sources on the web: rate-limited, with a timeout, and without trust in what they answer. */
import { MINUTE, SECOND } from '../../core/calendar.ts'
import { SourceError } from '../../core/papers/source-error.ts'
import { fetchFromNetwork, isPrivateLiteral, NOT_PUBLIC } from '../public-network.ts'

/**
 * Makes a request once it has a permit, which no other of our processes has for the source meanwhile. Rejects as the
 * request does, or with `SourceError` while the source has asked us to back off.
 */
export type WithPermit = <T>(request: () => Promise<T>) => Promise<T>

/** The validators of a response (RFC 9110 8.8), sent with the next request: then it sends only what has changed. */
export interface Validators {
  etag: string | null
  lastModified: string | null
}

/** How often a source may be asked. */
export interface RateLimit {
  /** What shares one permit: all requests that a source counts together. */
  name: string
  /** Milliseconds between the end of one request and the start of the next. */
  gap: number
  /** Milliseconds after which one request is given up. */
  timeout: number
}

export interface SourceRequest {
  /** Our BASE_URL, sent in the User-Agent, so that the source can contact us before it blocks us. */
  contact: string
  /** The media type wanted. */
  accept: string
  withPermit: WithPermit
  /** The validators of the response that is held; then the status may be 304. */
  known?: Validators | null
  /** Statuses that are no errors, besides 200, and 304 where validators are sent. */
  expected?: readonly number[]
  /** Milliseconds for one request, its body included, the wait for its permit not. */
  timeout: number
  /** Octets that a body may have, unpacked. */
  maxBody?: number
  /** Whether servers in a private network, or on this machine, may be connected to; otherwise only public ones. */
  anyNetwork?: boolean
  /** Aborts the request; its reason is thrown. */
  signal?: AbortSignal | undefined
}

export interface SourceResponse {
  status: number
  body: string
  validators: Validators
}

const MAX_REDIRECTS = 3
const NOT_PUBLIC_REASON = 'its name resolves to an address that is not public'
/** Octets; a page of 100 rows of Hugging Face has some 600,000. */
const MAX_BODY = 5_000_000
/** The back-off after 429 or 406 without a time: the window in which Hugging Face counts requests. */
const DEFAULT_BACK_OFF = 5 * MINUTE
/** One response can stop requests for no longer than this. */
const MAX_BACK_OFF = 24 * 60 * MINUTE
/** Validators are short; one that is longer, or not valid in a header, is not kept. */
const VALIDATOR = /^[\x21-\x7E][\x20-\x7E]{0,199}$/

/** Statuses that ask for a back-off, told by their headers or not: with 406 arXiv turns away who asks too often. */
const TOO_MANY: ReadonlySet<number> = new Set([406, 429])

/**
 * The back-off in milliseconds after 406, 429 or 503, by `Retry-After` or `RateLimit: "api";r=0;t=120`; `null` where neither
 * the status nor a header asks for one. A date counts from the server's own clock (RFC 9110 10.2.3), since ours may differ.
 */
const backOffAfter = (headers: Headers, status: number): number | null => {
  const after = headers.get('retry-after')?.trim() ?? ''
  const seconds = [after, /(?:^|[;,\s])t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1] ?? '']
    .filter((text) => /^\d{1,9}$/.test(text))
    .map(Number)
  const until = /^\d+$/.test(after) ? Number.NaN : Date.parse(after) - Date.parse(headers.get('date') ?? '')
  const asked = seconds.length > 0 ? Math.max(...seconds) * SECOND : until
  if (!Number.isNaN(asked)) return Math.min(MAX_BACK_OFF, Math.max(0, asked))
  return TOO_MANY.has(status) ? DEFAULT_BACK_OFF : null
}

const validatorsOf = (headers: Headers): Validators => {
  const read = (name: string): string | null => {
    const value = headers.get(name)
    return value !== null && VALIDATOR.test(value) ? value : null
  }
  return { etag: read('etag'), lastModified: read('last-modified') }
}

const headersOf = ({ accept, contact, known }: SourceRequest): Record<string, string> => ({
  accept,
  'user-agent': `PaperRound (+${contact})`,
  ...(known?.etag ? { 'if-none-match': known.etag } : {}),
  ...(known?.lastModified ? { 'if-modified-since': known.lastModified } : {}),
})

/** A body as text. Throws `SourceError` as soon as it exceeds `maxBody` octets. */
const readBody = async (response: Response, maxBody: number): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length
    // To leave the loop cancels the body, and the connection with it.
    if (size > maxBody) throw new SourceError(`its answer is larger than ${maxBody / 1_000_000} MB`)
    text += decoder.decode(chunk as Uint8Array, { stream: true })
  }
  return text + decoder.decode()
}

/** Makes one request and reads its body; or returns where it redirects to. */
const requestOnce = async (
  url: URL,
  request: SourceRequest,
  signal: AbortSignal,
): Promise<SourceResponse | { to: URL }> => {
  if (!request.anyNetwork && isPrivateLiteral(url.hostname)) throw new SourceError(NOT_PUBLIC_REASON)
  const init = { redirect: 'manual', headers: headersOf(request), signal } as const
  const response = await fetchFromNetwork(url, init, { anyNetwork: request.anyNetwork ?? false })
  const { status, headers } = response
  if (status === 200)
    return {
      status,
      body: await readBody(response, request.maxBody ?? MAX_BODY),
      validators: validatorsOf(headers),
    }
  await response.body?.cancel()
  const isConditional = request.known?.etag != null || request.known?.lastModified != null
  const isExpected = request.expected?.includes(status) || (status === 304 && isConditional)
  if (isExpected) return { status, body: '', validators: validatorsOf(headers) }
  const location = headers.get('location')
  if (status >= 300 && status <= 399 && location !== null) {
    const to = URL.parse(location, url.href)
    // A redirect must lead neither to another host nor into our own network.
    if (to?.origin !== url.origin) throw new SourceError('it redirects to another host')
    return { to }
  }
  throw new SourceError(status === 429 ? 'it asks us to wait' : `it answered ${status}`, {
    backOffMs: TOO_MANY.has(status) || status === 503 ? backOffAfter(headers, status) : null,
  })
}

/** Makes one request within its timeout. Whatever goes wrong is a `SourceError`, save that the signal aborts it. */
const requestInTime = async (url: URL, request: SourceRequest) => {
  const { timeout } = request
  const timer = AbortSignal.timeout(timeout)
  try {
    return await requestOnce(url, request, request.signal ? AbortSignal.any([request.signal, timer]) : timer)
  } catch (error) {
    if (error instanceof SourceError) throw error
    request.signal?.throwIfAborted()
    if (timer.aborted) throw new SourceError(`it took longer than ${timeout / SECOND} s`, { cause: error })
    // fetch wraps the error of the connection in a TypeError.
    if (error instanceof TypeError) {
      const { cause } = error
      if (cause instanceof Error && 'code' in cause && cause.code === NOT_PUBLIC)
        throw new SourceError(NOT_PUBLIC_REASON)
      const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
      throw new SourceError(`it cannot be reached, or broke off${code}`, { cause: error })
    }
    throw error
  }
}

/**
 * GETs a response with its whole body: 200, or one of the statuses that the request expects. Redirects are followed on the
 * same host only, each with a permit of its own. Throws `SourceError` for everything else.
 */
export const getFromSource = async (url: URL, request: SourceRequest): Promise<SourceResponse> => {
  let from = url
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const at = from
    const response = await request.withPermit(() => requestInTime(at, request))
    if (!('to' in response)) return response
    from = response.to
  }
  throw new SourceError('it redirects again and again')
}
