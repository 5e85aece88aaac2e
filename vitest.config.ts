/** How `npm test` and `npm run test:all` find and run the tests. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { createUniqueNames } from './test/support/unique-names.ts'

/** What is slow by nature: `npm test` leaves it out, `npm run test:all` (`--mode all`) runs it as well. */
const SLOW = ['test/containers/**', '**/*.slow.test.ts']

// Inherited by the workers and by the programs they start: most of a short program's time is spent compiling.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/node-compile')

export default defineConfig(({ mode }) => ({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', ...(mode === 'all' ? [] : SLOW)],
    provide: { thorough: mode === 'all' },
    reporters: ['default', createUniqueNames()],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/property-seed.ts'],
    // Test files that follow each other in a worker share its modules: loading them anew costs more than most tests.
    isolate: false,
    // Most of them wait for processes, servers and clocks: as many at a time as there are processors, and one more.
    maxWorkers: availableParallelism() + 1,
    // A busy machine takes a while for everything; a test that fails by time alone says nothing.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 120_000,
    expect: { poll: { timeout: 45_000, interval: 25 } },
  },
}))
