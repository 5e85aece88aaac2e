/** How many papers a week a choice brings, in words that claim no more than was counted. */

/** Papers that fitted a choice, and over how many weeks they were counted; counted before any limit of a digest. */
export interface Volume {
  papers: number
  /** 1 to 4: an installation that holds less than four weeks counts those it has. */
  weeks: number
}

const WEEKS = ['', 'week', 'two weeks', 'three weeks', 'four weeks']

const amount = ({ papers, weeks }: Volume): string => {
  if (papers === 0) return 'none'
  const rate = papers / weeks
  return rate < 1 ? 'fewer than one' : String(Math.round(rate))
}

/** "About 14 papers", "No papers", "Fewer than one paper". */
const subject = (volume: Volume): string => {
  const some = amount(volume)
  if (some === 'none') return 'No papers'
  if (some === 'fewer than one') return 'Fewer than one paper'
  return `About ${some} paper${some === '1' ? '' : 's'}`
}

const basis = ({ weeks }: Volume): string => `based on the last ${WEEKS[Math.ceil(weeks)] ?? WEEKS[4]}`

/** `About 14 papers a week match, based on the last four weeks.` */
export const volumeLine = (volume: Volume): string => {
  const some = amount(volume)
  const isOne = some === '1' || some === 'fewer than one'
  return `${subject(volume)} a week ${isOne ? 'matches' : 'match'}, ${basis(volume)}.`
}

/** `From about 14 papers a week to 5, based on the last four weeks.` */
export const changeLine = (before: Volume, after: Volume): string => {
  const some = amount(after)
  if (amount(before) === some) return volumeLine(after).replace(/ a week match(?:es)?/, '$&, as before')
  const from = subject(before)
  return `From ${from.charAt(0).toLowerCase()}${from.slice(1)} a week to ${some}, ${basis(after)}.`
}
