/**
 * From which seed the property tests draw their inputs: always the same, so that the tests of a commit answer alike each time
 * they run. `PROPERTY_SEED=random`, or a number, looks elsewhere; a failure prints the seed that it had.
 */
import fc from 'fast-check'

const FIXED = 1
const { PROPERTY_SEED: wanted = String(FIXED) } = process.env

if (wanted !== 'random') {
  const seed = Number(wanted)
  if (!Number.isInteger(seed)) throw new Error(`PROPERTY_SEED is a whole number or "random", not "${wanted}"`)
  fc.configureGlobal({ seed })
}
