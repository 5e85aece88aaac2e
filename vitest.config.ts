/** How `npm test` finds and runs the tests. */
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { createUniqueNames } from './test/support/unique-names.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**'],
    reporters: ['default', createUniqueNames()],
    globalSetup: ['test/support/global-setup.ts'],
    // Most of them wait for processes, servers and clocks: as many at a time as there are processors, and one more.
    maxWorkers: availableParallelism() + 1,
    // Whoever asks for a database first waits until its server is there, which a busy machine takes a while for.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 30_000,
  },
})
