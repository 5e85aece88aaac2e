/** That the planted faults still fit the code; whether they are found: `npm run test:faults -- --mutants`. */
import { expect, test } from 'vitest'
import { countPlaces, MUTANTS } from './mutants.ts'

test.each(MUTANTS)('there is exactly one place to plant: $name', async (mutant) => {
  expect(await countPlaces(mutant)).toBe(1)
})
