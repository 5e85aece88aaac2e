/** How many papers a week a choice brings, in words. */
import { expect, test } from 'vitest'
import { changeLine, volumeLine } from '../../../src/core/digest/volume.ts'

test.each([
  [{ papers: 56, weeks: 4 }, 'About 14 papers a week match, based on the last four weeks.'],
  [{ papers: 4, weeks: 4 }, 'About 1 paper a week matches, based on the last four weeks.'],
  [{ papers: 3, weeks: 4 }, 'Fewer than one paper a week matches, based on the last four weeks.'],
  [{ papers: 0, weeks: 4 }, 'No papers a week match, based on the last four weeks.'],
  [{ papers: 9, weeks: 1 }, 'About 9 papers a week match, based on the last week.'],
  [{ papers: 9, weeks: 1.5 }, 'About 6 papers a week match, based on the last two weeks.'],
])('%j is said as it is', (volume, line) => {
  expect(volumeLine(volume)).toBe(line)
})

test.each([
  [56, 20, 'From about 14 papers a week to 5, based on the last four weeks.'],
  [56, 0, 'From about 14 papers a week to none, based on the last four weeks.'],
  [0, 20, 'From no papers a week to 5, based on the last four weeks.'],
  [20, 2, 'From about 5 papers a week to fewer than one, based on the last four weeks.'],
  [20, 21, 'About 5 papers a week match, as before, based on the last four weeks.'],
])('a change from %i to %i is said as it is', (before, after, line) => {
  expect(changeLine({ papers: before, weeks: 4 }, { papers: after, weeks: 4 })).toBe(line)
})
