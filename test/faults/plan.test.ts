/** That a seed's number is enough to run it again. */
import { expect, test } from 'vitest'
import { drawPlan } from './plan.ts'

test('the same seed is always the same plan', () => {
  expect(drawPlan(7)).toEqual(drawPlan(7))
  expect(drawPlan(7)).not.toEqual(drawPlan(8))
})
