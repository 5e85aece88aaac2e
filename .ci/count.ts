/**
 * Closes a run with the counts of vitest's JSON reports: a test counts once, as it did best where it could run. Fails when
 * something failed, or was skipped that this machine could have run.
 */
import { spawnSync } from 'node:child_process'
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

const reports = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')) as Report)
const files = reports.flatMap((report) => report.testResults)
const outcomes = new Map<string, string>()
for (const file of files)
  for (const { fullName, status } of file.assertionResults) {
    const test = `${file.name}: ${fullName}`
    const before = outcomes.get(test)
    // Failed once is failed; skipped counts only where it ran nowhere.
    if (before === undefined || status === 'failed' || (before !== 'failed' && status === 'passed'))
      outcomes.set(test, status)
  }
const named = (wanted: (status: string) => boolean) =>
  [...outcomes].filter(([, status]) => wanted(status)).map(([test]) => test)
// A file that cannot even be loaded has no tests to fail; it fails as one.
const broken = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
for (const file of broken) console.log(`could not be run: ${file.name}: ${file.message}`)
const passed = named((status) => status === 'passed').length
const failed = named((status) => status === 'failed').length + broken.length
const skipped = named((status) => status !== 'passed' && status !== 'failed')
for (const test of skipped) console.log(`skipped: ${test}`)

/** Whether this machine could have run a test, by what its name says that it needs. */
const couldRun = (test: string): boolean => {
  if (/needs kubectl/.test(test)) return spawnSync('kubectl', ['version', '--client']).status === 0
  if (/needs Docker/.test(test)) return spawnSync('docker', ['version']).status === 0
  return existsSync('../shared') || !/shared/.test(test)
}
const mustRun = skipped.filter(couldRun)
if (mustRun.length > 0) console.log('Tests were skipped that this machine could have run.')
const good = failed === 0 && passed > 0 && mustRun.length === 0 && reports.every((report) => report.success)
process.exitCode = good ? 0 : 1
console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`)
