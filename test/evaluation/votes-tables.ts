/** The tables of what votes and picks do. */
import { LIFTS } from '../../src/core/digest/lift.ts'
import type { Estimate } from './metrics.ts'
import { number, row } from './table-rows.ts'
import type { Change, VotesResult } from './votes-study.ts'

/** Differences are small: to a ten-thousandth, with their sign. */
const signed = (value: number): string => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(4)}`
const change = ({ mean, ci }: Estimate): string =>
  mean === null || ci === null ? '–' : `${signed(mean)} [${signed(ci[0])}, ${signed(ci[1])}]`
const changes = ({ settled, utility, here }: Change): string[] =>
  [settled, utility, here].map((one) => change(one).padEnd(28))
const marked = (weight: number, used: number): string => `${weight}${weight === used ? ' (used)' : ''}`

export const votesTables = ({ votes, uncounted, picks, collusion }: VotesResult): string[] => [
  '',
  row('Votes: voters, taste, weight', ...['settled upvotes', 'utility', 'utility here'].map((name) => name.padEnd(28))),
  ...votes.map((one) => row(`${one.voters}, ${one.taste}, ${marked(one.weight, LIFTS.counted)}`, ...changes(one))),
  '',
  row('Papers that no source counts', 'settled upvotes'),
  ...uncounted.map((one) =>
    row(`${one.voters}, ${one.taste}, ${marked(one.weight, LIFTS.uncounted)}`, change(one.settled)),
  ),
  '',
  row('Picks: taste, weight', ...['settled upvotes', 'utility', 'utility here'].map((name) => name.padEnd(28))),
  ...picks.map((one) => row(`${one.taste}, ${marked(one.weight, LIFTS.pick)}`, ...changes(one))),
  '',
  row(
    'Collusion: votes for one',
    'places gained, most',
    'first of its day',
    'trending',
    'first for its readers',
    'misfits',
  ),
  ...collusion.map((one) =>
    row(
      `${one.colluders}, beside ${one.honest} voters`,
      `${one.places.toFixed(1)}, ${one.mostPlaces} of ${one.ofPlaces.toFixed(0)}`,
      String(one.first),
      `${number(one.trending[0])} → ${number(one.trending[1])}`,
      `${number(one.firstForReaders[0])} → ${number(one.firstForReaders[1])}`,
      String(one.misfits),
    ),
  ),
  '  (readers, curators and their tastes are simulated: change of nDCG@10 against no votes or picks; for one paper a day below the middle)',
]
