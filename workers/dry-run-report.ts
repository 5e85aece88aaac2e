/** The report of a dry run of a source, for the operator. */
import type { DryRun } from '../src/newsletter/intake-dry-run.ts'

const MAX_LISTED = 12
const MAX_SKIPPED = 20

const listed = (counts: Record<string, number>): string => {
  const entries = Object.entries(counts)
  const shown = entries.slice(0, MAX_LISTED).map(([name, count]) => `${name} (${count})`)
  const rest = entries.length - shown.length
  return [...shown, ...(rest > 0 ? [`${rest} more`] : [])].join(', ') || 'none'
}

const present = (counts: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))

const announcedLine = ({ announced, batchDay }: DryRun['understood']): string[] => {
  if (announced === undefined) return []
  const batch = batchDay == null ? 'the feed is empty' : `the batch of ${batchDay}`
  const entries = Object.values(announced).reduce((sum, count) => sum + count, 0)
  return [`entries      ${entries} understood in ${batch}: ${listed(present(announced))}`]
}

const skippedLines = ({ understood, skipped }: DryRun): string[] => {
  const replaced = (understood.announced?.replace ?? 0) + (understood.announced?.['replace-cross'] ?? 0)
  const noun = replaced === 1 ? 'replacement' : 'replacements'
  const replacements = replaced === 0 ? [] : [`skipped      ${replaced} ${noun}: announced before`]
  const rest = skipped.length - MAX_SKIPPED
  return [
    ...replacements,
    ...skipped.slice(0, MAX_SKIPPED).map(({ where, problem }) => `skipped      ${where}: ${problem}`),
    ...(rest > 0 ? [`skipped      ${rest} more`] : []),
    ...(replaced + skipped.length === 0 ? ['skipped      nothing'] : []),
  ]
}

/** One line for each fact. The texts of papers have no control characters any more, which a terminal would obey. */
export const reportDryRun = (run: DryRun): string => {
  const { wouldStore: counts, understood, uncategorised } = run
  return [
    `${run.source}: dry run, nothing was stored.`,
    `would store  ${counts.added} new, ${counts.changed} changed; ${counts.unchanged} are known already`,
    `understood   ${understood.papers} papers`,
    ...announcedLine(understood),
    `list days    ${listed(understood.listDays)}`,
    `categories   ${listed(understood.categories)}`,
    `without      ${listed(present(understood.without))}`,
    ...skippedLines(run),
    ...run.notices.map((notice) => `notice       ${notice}`),
    ...(uncategorised === undefined || uncategorised.papers === 0
      ? []
      : [`elsewhere    ${uncategorised.papers} papers lack categories; it gave those of ${uncategorised.answered}`]),
    ...run.titles.map(({ id, title }) => `such as      ${id}  ${title}`),
  ].join('\n')
}
