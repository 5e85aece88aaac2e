/**
 * Pages that take long to make: they are made one at a time, so that nobody's sign-up waits behind forty previews, and a
 * page of the same content is rendered once.
 */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Pages } from './site.ts'

/** Runs one piece of work after the other, with room between them for requests that need little. */
export const createTurns = (): (<T>(work: () => Promise<T>) => Promise<T>) => {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last.then(() => setImmediate()).then(work)
    // The next one goes on whatever became of this one, whose caller has the error.
    last = mine.catch(() => undefined)
    return mine
  }
}

/** Use cases of which these run one at a time, whoever asks for them: whoever asks for many waits for their own. */
export const inTurns = <UseCases extends object>(useCases: UseCases, names: (keyof UseCases)[]): UseCases => {
  const inTurn = createTurns()
  const takeTurn = (name: keyof UseCases) => {
    const run = useCases[name] as (...given: unknown[]) => Promise<unknown>
    return (...given: unknown[]) => inTurn(() => run(...given))
  }
  return { ...useCases, ...Object.fromEntries(names.map((name) => [name, takeTurn(name)])) }
}

/** Characters of all rendered pages that are kept, each of two octets: previews are as many as choices, and some are long. */
const MAX_CHARACTERS = 4_000_000
/** The pages that anybody may see: no others are kept. */
const OPEN_PAGES = new Set([
  'home',
  'day',
  'period',
  'topics',
  'topic',
  'author',
  'paper',
  'preview',
  'about',
  'api',
  'embed',
  'widget',
])

/** Pages of which those that anybody may see are rendered once for the same content. */
export const keepPages = (pages: Pages): Pages => {
  const kept = new LRUCache<string, string>({
    maxSize: MAX_CHARACTERS,
    sizeCalculation: ({ length }) => length + 1,
  })
  return {
    ...pages,
    render(name, view) {
      if (!OPEN_PAGES.has(name)) return pages.render(name, view)
      const key = createHash('sha256').update(name).update(JSON.stringify(view)).digest('base64')
      const known = kept.get(key)
      if (known !== undefined) return known
      const page = pages.render(name, view)
      kept.set(key, page)
      return page
    },
  }
}
