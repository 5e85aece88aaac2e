/** Reads vitest's JSON report and closes a run with its counts; fails when something was skipped that could have run. */
import { existsSync, readFileSync } from 'node:fs'

interface Report {
  success: boolean
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { fullName: string; status: string }[]
  }[]
}

const report = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Report
const tests = report.testResults.flatMap((file) => file.assertionResults)
const count = (...statuses: string[]) => tests.filter((test) => statuses.includes(test.status)).length
// A file that cannot even be loaded has no tests to fail; it fails as one.
const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
for (const file of broken) console.log(`could not be run: ${file.name}: ${file.message}`)
const passed = count('passed')
const failed = count('failed') + broken.length
const skipped = tests.filter((test) => !['passed', 'failed'].includes(test.status))
for (const test of skipped) console.log(`skipped: ${test.fullName}`)

const sharedIsHere = existsSync('../shared')
const mustRun = skipped.filter((test) => sharedIsHere || !/shared/.test(test.fullName))
if (mustRun.length > 0) console.log('Tests were skipped that this machine could have run.')
console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`)
process.exitCode = failed > 0 || passed === 0 || mustRun.length > 0 || !report.success ? 1 : 0
