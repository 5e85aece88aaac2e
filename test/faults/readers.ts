/** People who use the service from outside alone: the site over HTTP, and what they find in their mail. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Copy, readable } from './book.ts'
import type { Stage } from './stage.ts'

/** Something a reader did, by the stage's `elapsed`; unanswered things may have been done all the same. */
export interface Deed {
  what: 'asked' | 'confirmed' | 'changed' | 'left'
  begun: number
  answered: number | null
  /** By the service's clock, when it was answered. */
  served: Date | null
  /** The link was none any more, or there was nothing to choose. */
  refused: boolean
}

export interface Reader {
  email: string
  deeds: Deed[]
  /** Tokens by the purpose of their link, the newest. */
  tokens: Map<string, string>
}

const PATIENCE = 4_000
const AGAIN_AFTER = 60
const ZONES = ['Europe/London', 'America/New_York', 'UTC']
const DOMAINS = ['example.org', 'example.com', 'example.net']
/** Stands in every address, so that none can be overlooked in a log. */
export const MARK = 'kanarie'

const wishesOf = (n: number) => ({
  topics: n % 3 === 0 ? ['agents', 'robotics'] : ['diffusion-lm', 'robotics'],
  frequency: 'daily',
  timezone: ZONES[n % ZONES.length] ?? 'UTC',
})

/** `name` distinguishes these readers from all others. */
export const openReaders = (stage: Stage, name: string) => {
  const readers: Reader[] = []
  const byEmail = new Map<string, Reader>()
  const queues = new Map<Reader, Promise<unknown>>()
  /** Every token that was ever mailed to one of them. */
  const tokens = new Set<string>()
  const confirming = new Set<string>()
  let busy = 0
  let begun = 0
  let givenUp = false

  const post = (path: string, body: object): Promise<Response> =>
    fetch(new URL(path, stage.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    })

  /** Whoever gets no answer tries again. One thing at a time, as people do. */
  const act = (reader: Reader, what: Deed['what'], path: () => string | null, body: object): void => {
    busy++
    begun++
    const done = (queues.get(reader) ?? Promise.resolve()).then(async () => {
      const to = path()
      if (to === null) return
      const deed: Deed = { what, begun: stage.elapsed(), answered: null, served: null, refused: false }
      reader.deeds.push(deed)
      while (!givenUp) {
        const status = await post(to, body).then(
          async (response) => {
            await response.arrayBuffer()
            return response.status
          },
          () => 0,
        )
        // Not a link any more (404), or nothing to choose (409): an answer, too.
        if (status >= 200 && status < 500) {
          deed.answered = stage.elapsed()
          deed.served = stage.now()
          deed.refused = status >= 400
          return
        }
        await delay(AGAIN_AFTER)
      }
    })
    queues.set(
      reader,
      done.finally(() => {
        busy--
      }),
    )
  }

  const linked = (reader: Reader, purpose: string) => () => {
    const token = reader.tokens.get(purpose)
    return token === undefined ? null : `/${purpose}/${token}`
  }
  const pick = (n: number): Reader | undefined => readers[n % readers.length]

  return {
    readers,
    tokens,
    find: (email: string) => byEmail.get(email),
    /** How much they have done so far; `null` while somebody waits for an answer. */
    rest: () => (busy === 0 ? begun : null),
    giveUp() {
      givenUp = true
    },
    signUp(count: number) {
      for (let n = 0; n < count; n++) {
        const number = readers.length
        const email = `${MARK}.${name}.${number}@${DOMAINS[number % DOMAINS.length]}`
        const reader: Reader = { email, deeds: [], tokens: new Map() }
        readers.push(reader)
        byEmail.set(email, reader)
        act(reader, 'asked', () => '/subscribe', { email, ...wishesOf(number) })
      }
    },
    change(n: number) {
      const reader = pick(n)
      if (reader !== undefined)
        act(reader, 'changed', linked(reader, 'preferences'), { ...wishesOf(n + 1), timezone: 'UTC', hour: 8 })
    },
    /** `email`: this reader and no other, if they are one of these. */
    leave(who: number | { email: string }) {
      const reader = typeof who === 'number' ? pick(who) : byEmail.get(who.email)
      if (reader !== undefined) act(reader, 'left', linked(reader, 'unsubscribe'), {})
    },
    returnTo(n: number) {
      const reader = pick(n)
      if (reader !== undefined) act(reader, 'asked', () => '/subscribe', { email: reader.email, ...wishesOf(n) })
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
        act(reader, 'confirmed', () => `/confirm/${token}`, {})
      }
    },
  }
}

export type Readers = ReturnType<typeof openReaders>
