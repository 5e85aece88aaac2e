/** The tables of what presses for more and less do. */
import type { Estimate } from './metrics.ts'
import { number, row } from './table-rows.ts'
import type { TasteResult } from './taste-study.ts'

const signed = (value: number): string => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(4)}`
const gainOf = ({ mean, ci }: Estimate): string =>
  mean === null || ci === null ? '–' : `${signed(mean)} [${signed(ci[0])}, ${signed(ci[1])}]`

export const tasteTables = ({ rows, tried, readers, weeks, chosenOn, digests }: TasteResult): string[] => [
  '',
  row('Taste, terms, presses', 'utility nDCG@10', 'gain'.padEnd(28), 'liked of ten', 'topics lost'),
  ...rows.map(({ taste, terms, presses, utility, gain, liked, topicsLost }) =>
    row(
      `${taste}, ${terms}, ${presses}`,
      number(utility.mean),
      gainOf(gain).padEnd(28),
      number(liked),
      String(topicsLost),
    ),
  ),
  `  (${readers} simulated readers of each, at most ${digests} weekly digests of ${weeks[0]} to ${weeks.at(-1)}; 95 % of readers drawn again)`,
  '',
  row('Constants of tastes', 'gain after 20 presses'),
  ...tried.map(({ setting, value, used, gain }) => row(`${setting} ${value}${used ? ' (used)' : ''}`, gainOf(gain))),
  `  (all three tastes, on ${chosenOn[0]} to ${chosenOn.at(-1)}, the weeks before)`,
]
