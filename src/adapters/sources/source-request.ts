/** How every source on the web is asked: politely, patiently up to a limit, and without believing what it says. */
import { MINUTE, SECOND } from '../../core/calendar.ts'
import { SourceError } from '../../core/papers/source-error.ts'
import { isPrivateLiteral, NOT_PUBLIC, publicNetwork } from './public-network.ts'

/**
 * Makes a request when it is our turn, and no other of our processes asks the source meanwhile. Throws what the request
 * throws, or `SourceError` when the source has asked us to stay away for now.
 */
export type WithPermit = <T>(request: () => Promise<T>) => Promise<T>

/** What the source said of the version of an answer, to be said back to it: then it need send only what has changed. */
export interface Validators {
  etag: string | null
  lastModified: string | null
}

/** How often a source may be asked. */
export interface RateLimit {
  /** What shares one turn: all that a source counts together. */
  name: string
  /** Milliseconds between the end of one request and the start of the next. */
  gap: number
  /** The most milliseconds that one request takes. */
  patience: number
}

export interface SourceRequest {
  /** Where this service can be found, its BASE_URL: told to the source, so that they can reach us before they block us. */
  contact: string
  /** The media type wanted. */
  accept: string
  withPermit: WithPermit
  /** What was said of the answer that is known already; then the answer may be 304. */
  known?: Validators | null
  /** Statuses besides 200, and 304 where an answer is known, that are answers and no trouble. */
  expected?: readonly number[]
  /** Milliseconds for one request, its body included, its turn not. */
  timeout: number
  /** Octets of one answer, unpacked. */
  largest?: number
  /** Also a server in a private network, or on this machine; otherwise only what is public is connected to. */
  anyNetwork?: boolean
  /** Ends the request; its reason is thrown. */
  signal?: AbortSignal | undefined
}

export interface SourceAnswer {
  status: number
  body: string
  validators: Validators
}

const MOST_REDIRECTS = 3
const LEADS_INSIDE = 'its name leads to an address that is not public'
/** A page of 100 rows of Hugging Face has some 600,000. */
const LARGEST_BODY = 5_000_000
/** How long we stay away after 429 where nothing says for how long: the window in which Hugging Face counts. */
const REST = 5 * MINUTE
/** Nobody may silence a source for longer by one answer. */
const LONGEST_BACK_OFF = 24 * 60 * MINUTE
/** Both kinds of validator are short; what is longer, or could not stand in a header, is not kept. */
const VALIDATOR = /^[\x21-\x7E][\x20-\x7E]{0,199}$/

/**
 * How many milliseconds to stay away after 429 or 503, by `Retry-After` or `RateLimit: "api";r=0;t=120`; `null` where
 * neither the status nor a header asks for it. A date counts from the server's own (RFC 9110, 10.2.3): ours may differ.
 */
const backOffAfter = (headers: Headers, status: number): number | null => {
  const after = headers.get('retry-after')?.trim() ?? ''
  const seconds = [after, /(?:^|[;,\s])t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1] ?? '']
    .filter((text) => /^\d{1,9}$/.test(text))
    .map(Number)
  const until = /^\d+$/.test(after) ? Number.NaN : Date.parse(after) - Date.parse(headers.get('date') ?? '')
  const asked = seconds.length > 0 ? Math.max(...seconds) * SECOND : until
  if (!Number.isNaN(asked)) return Math.min(LONGEST_BACK_OFF, Math.max(0, asked))
  return status === 429 ? REST : null
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

/** A body as text; trouble when it grows too large, before the rest of it is read. */
const readBody = async (response: Response, largest: number): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length
    // Leaving the loop cancels the body, and with it the connection.
    if (size > largest) throw new SourceError(`its answer is larger than ${largest / 1_000_000} MB`)
    text += decoder.decode(chunk as Uint8Array, { stream: true })
  }
  return text + decoder.decode()
}

/** One request and its body; or where it sends us. */
const ask = async (url: URL, request: SourceRequest, signal: AbortSignal): Promise<SourceAnswer | { to: URL }> => {
  if (!request.anyNetwork && isPrivateLiteral(url.hostname)) throw new SourceError(LEADS_INSIDE)
  const response = await fetch(url, {
    redirect: 'manual',
    headers: headersOf(request),
    signal,
    ...(request.anyNetwork ? {} : { dispatcher: await publicNetwork() }),
  })
  const { status, headers } = response
  if (status === 200)
    return {
      status,
      body: await readBody(response, request.largest ?? LARGEST_BODY),
      validators: validatorsOf(headers),
    }
  await response.body?.cancel()
  const isConditional = request.known?.etag != null || request.known?.lastModified != null
  const isAnswer = request.expected?.includes(status) || (status === 304 && isConditional)
  if (isAnswer) return { status, body: '', validators: validatorsOf(headers) }
  const location = headers.get('location')
  if (status >= 300 && status <= 399 && location !== null) {
    const to = URL.parse(location, url.href)
    // What a source says must lead us neither to another, nor into our own network.
    if (to?.origin !== url.origin) throw new SourceError('it redirects to another host')
    return { to }
  }
  throw new SourceError(status === 429 ? 'it asks us to wait' : `it answered ${status}`, {
    backOffMs: status === 429 || status === 503 ? backOffAfter(headers, status) : null,
  })
}

/** One request within its time; whatever goes wrong is told as trouble. */
const askInTime = async (url: URL, request: SourceRequest) => {
  const { timeout } = request
  const patience = AbortSignal.timeout(timeout)
  try {
    return await ask(url, request, request.signal ? AbortSignal.any([request.signal, patience]) : patience)
  } catch (error) {
    if (error instanceof SourceError) throw error
    request.signal?.throwIfAborted()
    if (patience.aborted) throw new SourceError(`it took longer than ${timeout / SECOND} s`, { cause: error })
    // fetch wraps what went wrong below in a TypeError.
    if (error instanceof TypeError) {
      const { cause } = error
      if (cause instanceof Error && 'code' in cause && cause.code === NOT_PUBLIC) throw new SourceError(LEADS_INSIDE)
      const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
      throw new SourceError(`it cannot be reached, or broke off${code}`, { cause: error })
    }
    throw error
  }
}

/**
 * GETs an answer with its whole body: 200, or one of the statuses that the request expects. Redirects are followed on
 * the same host alone, each in a turn of its own. Throws `SourceError` for everything else.
 */
export const getFromSource = async (url: URL, request: SourceRequest): Promise<SourceAnswer> => {
  let from = url
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const at = from
    const answer = await request.withPermit(() => askInTime(at, request))
    if (!('to' in answer)) return answer
    from = answer.to
  }
  throw new SourceError('it redirects again and again')
}
