/** Readers who use the service from outside alone: the site over HTTP, and what they find in their mail. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment } from './environment.ts'
import type { Copy } from './history.ts'
import { readable } from './message-fields.ts'

/** Something a reader asked of the site, by the environment's `elapsed`; without an answer it may have been done all the same. */
export interface ReaderRequest {
  what: 'asked' | 'confirmed' | 'changed' | 'left'
  begun: number
  answered: number | null
  /** How often it was sent until there was an answer. */
  tries: number
  /** By the service's clock, when it was answered. */
  served: Date | null
  /** The link was not valid any more, or there was nothing to choose. */
  refused: boolean
}

export interface Reader {
  email: string
  requests: ReaderRequest[]
  /** Tokens by the purpose of their link, the newest. */
  tokens: Map<string, string>
}

const ANSWER_WITHIN = 4_000
const RETRY_AFTER = 60
const ZONES = ['Europe/London', 'America/New_York', 'UTC']
const DOMAINS = ['example.org', 'example.com', 'example.net']
/** Part of every address, so that none can be overlooked in a log. */
export const MARK = 'canary'

const choicesOf = (n: number) => ({
  topics: n % 3 === 0 ? ['agents', 'robotics'] : ['diffusion-lm', 'robotics'],
  frequency: 'daily',
  timezone: ZONES[n % ZONES.length] ?? 'UTC',
})

type Site = Pick<Environment, 'url' | 'elapsed' | 'now'>
type Note = (what: string) => void

/** Sends the requests of readers, one at a time for each of them, and again until there is an answer. */
const createRequests = (site: Site, note: Note) => {
  const queues = new Map<Reader, Promise<unknown>>()
  let busy = 0
  let begun = 0
  let givenUp = false

  /** The status of the answer; 0 where there was none. */
  const post = async (path: string, body: object): Promise<number> => {
    try {
      const response = await fetch(new URL(path, site.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_WITHIN),
      })
      await response.arrayBuffer()
      return response.status
    } catch {
      return 0
    }
  }

  const send = async (reader: Reader, what: ReaderRequest['what'], path: string, body: object): Promise<void> => {
    const request: ReaderRequest = {
      what,
      begun: site.elapsed(),
      answered: null,
      tries: 0,
      served: null,
      refused: false,
    }
    reader.requests.push(request)
    while (!givenUp) {
      request.tries++
      const status = await post(path, body)
      // Not a link any more (404), or nothing to choose (409): an answer, too.
      if (status >= 200 && status < 500) {
        request.answered = site.elapsed()
        request.served = site.now()
        request.refused = status >= 400
        return note(`${reader.email} ${what}: answered ${status} after ${request.tries} tries`)
      }
      await delay(RETRY_AFTER)
    }
  }

  return {
    /** `path` is asked when the request's turn has come; `null` means that there is nothing to press. */
    add(reader: Reader, what: ReaderRequest['what'], path: () => string | null, body: object): void {
      busy++
      begun++
      const done = (queues.get(reader) ?? Promise.resolve()).then(async () => {
        const to = path()
        if (to !== null) await send(reader, what, to, body)
      })
      queues.set(
        reader,
        done.finally(() => {
          busy--
        }),
      )
    },
    /** How many there were so far; `null` while one is not answered. */
    idle: () => (busy === 0 ? begun : null),
    giveUp() {
      givenUp = true
    },
  }
}

/** `name` distinguishes these readers from all others. */
export const createReaders = (site: Site, name: string, note: Note) => {
  const readers: Reader[] = []
  const byEmail = new Map<string, Reader>()
  /** Every token that was ever mailed to one of them. */
  const tokens = new Set<string>()
  const confirming = new Set<string>()
  const requests = createRequests(site, note)

  const linked = (reader: Reader, purpose: string) => () => {
    const token = reader.tokens.get(purpose)
    return token === undefined ? null : `/${purpose}/${token}`
  }
  const pick = (n: number): Reader | undefined => readers[n % readers.length]

  return {
    readers,
    tokens,
    find: (email: string) => byEmail.get(email),
    /** How many requests they have made so far; `null` while one of them waits for an answer. */
    idle: requests.idle,
    giveUp: requests.giveUp,
    signUp(count: number) {
      for (let n = 0; n < count; n++) {
        const number = readers.length
        const email = `${MARK}.${name}.${number}@${DOMAINS[number % DOMAINS.length]}`
        const reader: Reader = { email, requests: [], tokens: new Map() }
        readers.push(reader)
        byEmail.set(email, reader)
        requests.add(reader, 'asked', () => '/subscribe', { email, ...choicesOf(number) })
      }
    },
    change(n: number) {
      const reader = pick(n)
      if (reader === undefined) return
      requests.add(reader, 'changed', linked(reader, 'preferences'), { ...choicesOf(n + 1), timezone: 'UTC', hour: 8 })
    },
    /** `email`: this reader and no other, if they are one of these. */
    leave(who: number | { email: string }) {
      const reader = typeof who === 'number' ? pick(who) : byEmail.get(who.email)
      if (reader !== undefined) requests.add(reader, 'left', linked(reader, 'unsubscribe'), {})
    },
    comeBack(n: number) {
      const reader = pick(n)
      if (reader !== undefined)
        requests.add(reader, 'asked', () => '/subscribe', { email: reader.email, ...choicesOf(n) })
    },
    /** What everybody does with a new mail: keep its links, and confirm. */
    receive(copy: Copy) {
      const reader = byEmail.get(copy.to)
      if (reader === undefined) return
      for (const [, purpose = '', token = ''] of readable(copy.raw).matchAll(
        /\/(confirm|preferences|unsubscribe|digests)\/([\w-]{43})\b/g,
      )) {
        tokens.add(token)
        reader.tokens.set(purpose, token)
        if (purpose !== 'confirm' || confirming.has(token)) continue
        confirming.add(token)
        requests.add(reader, 'confirmed', () => `/confirm/${token}`, {})
      }
    },
  }
}

export type Readers = ReturnType<typeof createReaders>
