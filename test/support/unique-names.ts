/** Fails a run in which two tests of a file have the same name: one of them is a copy that was never finished. */
import type { Reporter } from 'vitest/node'

export const createUniqueNames = (): Reporter => ({
  onTestRunEnd(modules) {
    for (const module of modules) {
      const seen = new Set<string>()
      for (const { fullName } of module.children.allTests()) {
        if (seen.has(fullName)) {
          console.error(`two tests in ${module.relativeModuleId} are called: ${fullName}`)
          process.exitCode = 1
        }
        seen.add(fullName)
      }
    }
  },
})
