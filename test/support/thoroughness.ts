/** How much of what could be tried is tried: `npm test` takes a part of it, `npm run test:all` everything. */
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Set by `vitest.config.ts`: whether this is `npm run test:all`. */
    thorough: boolean
  }
}

export const thorough = inject('thorough')

/** How many random inputs a property is tried with, of those that it deserves. */
export const propertyRuns = (all: number): number => (thorough ? all : Math.max(5, Math.ceil(all / 5)))
