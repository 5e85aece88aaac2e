/** Pages that take long to make: they are made one at a time, so that nobody's sign-up waits behind forty previews. */
import { setImmediate } from 'node:timers/promises'

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
