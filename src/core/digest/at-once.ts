/**
 * What weekly readers who asked for it are sent at once, on the days between two weekly digests at their hour: a paper that
 * matches what they follow and is in the top 1 % of the month. That is the claim that its reason makes anywhere: at most 1 % of
 * the papers that were listed in the last 28 list days, topics apart, had as many upvotes when they were as old. A share of
 * each topic's own papers would say nothing: most topics have fewer than a hundred a month. Without such a paper nothing is
 * sent, stored or told. What was sent at once is not repeated in the week's digest, which says that it came.
 */
import type { Trend } from './trend.ts'

/** How many papers come at once at most; others wait for the next day. */
export const MOST_AT_ONCE = 3

const TOP_PERCENT = 1

/** Whether a paper is in the top 1 % of the month, as far as that is known. */
export const standsOut = ({ trend }: { trend: Pick<Trend, 'topPercent'> }): boolean =>
  trend.topPercent !== null && trend.topPercent <= TOP_PERCENT
