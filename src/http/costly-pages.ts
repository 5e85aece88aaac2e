/**
 * Pages that take long to make: they are made one at a time, and each lets the forms pass that are being answered, so that
 * nobody's sign-up waits behind forty previews.
 */
import { setImmediate } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import { BUDGET, budgetOf } from './request-budgets.ts'
import type { App } from './site.ts'

/** How long a piece of work waits for forms, milliseconds: forms that never end, or come without end, stop no page. */
const FORM_PATIENCE = 100

type InTurn = <T>(work: () => Promise<T>) => Promise<T>

/** Runs one piece of work after the other, with room between them for requests that need little; each begins after `ready`. */
export const createTurns = (ready: () => Promise<void> = async () => undefined): InTurn => {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last
      .then(() => setImmediate())
      .then(ready)
      .then(work)
    // The next one goes on whatever became of this one, whose caller has the error.
    last = mine.catch(() => undefined)
    return mine
  }
}

/** Use cases of which these run one at a time, whoever asks for them: whoever asks for many waits for their own. */
export const inTurns = <UseCases extends object>(
  useCases: UseCases,
  names: (keyof UseCases)[],
  inTurn: InTurn = createTurns(),
): UseCases => {
  const takeTurn = (name: keyof UseCases) => {
    const run = useCases[name] as (...given: unknown[]) => Promise<unknown>
    return (...given: unknown[]) => inTurn(() => run(...given))
  }
  return { ...useCases, ...Object.fromEntries(names.map((name) => [name, takeTurn(name)])) }
}

/** The forms that are being answered. */
export interface PendingForms {
  /** Resolves once there is none, or after `FORM_PATIENCE`. */
  passed(): Promise<void>
  /** Watches the requests of a site. */
  watch(app: App): void
}

export const createPendingForms = (): PendingForms => {
  const pending = new Set<FastifyRequest>()
  const waiting = new Set<() => void>()
  const end = (request: FastifyRequest): void => {
    if (!pending.delete(request) || pending.size > 0) return
    for (const goOn of waiting) goOn()
  }
  return {
    passed: () => {
      if (pending.size === 0) return Promise.resolve()
      return new Promise((resolve) => {
        const goOn = () => {
          clearTimeout(timer)
          waiting.delete(goOn)
          resolve()
        }
        const timer = setTimeout(goOn, FORM_PATIENCE)
        waiting.add(goOn)
      })
    },
    watch: (app) => {
      app.addHook('onRequest', async (request) => {
        const { url = '', config } = request.routeOptions
        if (budgetOf({ url, method: request.method, config }) === BUDGET.form) pending.add(request)
      })
      app.addHook('onResponse', async (request) => end(request))
      app.addHook('onRequestAbort', async (request) => end(request))
    },
  }
}
