/** Reads a plain text of titles and abstracts, such as a page of papers saved as text, into listings. */

import { ABSTRACT_LENGTH, cleanLine, cleanText, TITLE_LENGTH } from '../text/text.ts'
import type { Listing } from './paper.ts'
import { idOfTitle, observationOf, type RowContext, readDate } from './paper-row.ts'

const MONTHS = 'january february march april may june july august september october november december'.split(' ')
const MONTH = `(${MONTHS.map((name) => `${name}|${name.slice(0, 3)}`).join('|')}|sept)\\.?`
const MONTH_FIRST = new RegExp(
  `^(?:[a-z]+day,? )?(?<month>${MONTH}) (?<day>\\d{1,2})(?:st|nd|rd|th)?(?:,? (?<year>\\d{4}))?$`,
  'i',
)
const DAY_FIRST = new RegExp(
  `^(?:[a-z]+day,? )?(?<day>\\d{1,2})(?:st|nd|rd|th)? (?<month>${MONTH})(?:,? (?<year>\\d{4}))?$`,
  'i',
)

/** Characters from which on a block is an abstract; the longest title in two years had 175. */
const MIN_ABSTRACT = 200
/** The least share of letters in an abstract, and the most characters a word on average: of 7,460 none had under 0.87 or over 8.7. */
const MIN_LETTERS = 0.8
const MAX_WORD = 12

/**
 * The date of a heading such as `Mar 14`, `14 March 2026` or `2026-03-14`. Without a year it is the newest such day that
 * is not after `today`. `null` for any other line.
 */
export const readDateHeading = (line: string, today: string): string | null => {
  if (line.length === 10 && readDate(line) !== null) return line
  const { month, day, year } = (MONTH_FIRST.exec(line) ?? DAY_FIRST.exec(line))?.groups ?? {}
  if (month === undefined || day === undefined) return null
  const number = MONTHS.findIndex((name) => name.startsWith(month.slice(0, 3).toLowerCase())) + 1
  const rest = `-${String(number).padStart(2, '0')}-${day.padStart(2, '0')}`
  if (year !== undefined) return readDate(year + rest)
  const thisYear = Number(today.slice(0, 4))
  // Nine years: 29 February comes every four years, or eight around 1900 and 2100.
  const years = Array.from({ length: 9 }, (_, ago) => String(thisYear - ago).padStart(4, '0'))
  return years.map((newest) => readDate(newest + rest)).find((date) => date !== null && date <= today) ?? null
}

interface Block {
  /** Number of its first line, from 1. */
  line: number
  lines: string[]
}

/** What separates an abstract from other text that may stand in a file: configuration, code, lists, logs. */
const isProse = (text: string): boolean => {
  const words = text.split(' ').length
  const letters = text.match(/[\p{L}\p{M}]/gu)?.length ?? 0
  const visible = text.length - (words - 1)
  // Chinese, Japanese and Thai part no words by spaces.
  const isSpaced = !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(text)
  return (
    // Not the marks of a comment, a heading or a table.
    /^[\p{L}\p{N}"'“‘«([$\\]/u.test(text) &&
    letters >= visible * MIN_LETTERS &&
    /[.!?…。！？]["'”’)\]]*(?:\s|$)|[。！？]/u.test(text) &&
    (!isSpaced || visible <= words * MAX_WORD)
  )
}

const blocksOf = (text: string): Block[] => {
  const blocks: Block[] = []
  let open: Block | null = null
  for (const [at, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const line = raw.trim()
    if (line === '') open = null
    else if (open !== null) open.lines.push(line)
    else {
      open = { line: at + 1, lines: [line] }
      blocks.push(open)
    }
  }
  return blocks
}

/** An abstract with one more paragraph. One that is full already stays: else each paragraph would cost as much as all before. */
const continued = (abstract: string, paragraph: string): string =>
  abstract.length > ABSTRACT_LENGTH * 0.99 ? abstract : cleanText(`${abstract} ${paragraph}`, ABSTRACT_LENGTH)

/**
 * Papers out of blocks that blank lines part: a short one is a title, a long one its abstract (more long ones continue
 * it), a date changes the list day, and short ones that no abstract follows are named as problems, unless they stand
 * before the first date or paper, where pages have their banner. Papers before any date stand under `elseListDay`, or on `today`'s list.
 */
export const readPaperPage = (
  text: string,
  context: RowContext,
): { listings: Listing[]; problems: { where: string; problem: string }[] } => {
  const listings: Listing[] = []
  const problems: { where: string; problem: string }[] = []
  let listDay = context.listDay ?? context.elseListDay ?? context.today
  let title: { text: string; line: number } | null = null
  let begun = false

  const dropTitle = (): void => {
    if (title !== null && begun)
      problems.push({ where: `line ${title.line}`, problem: 'no abstract follows this title' })
    title = null
  }
  const addPaper = (named: string, abstract: string, line: number): void => {
    if (!isProse(abstract)) {
      problems.push({ where: `line ${line}`, problem: 'what follows this line is not the text of an abstract' })
      return
    }
    begun = true
    listings.push({
      paper: {
        id: idOfTitle(named),
        title: named,
        abstract,
        ...{ authors: [], publishedOn: null, categories: [], codeUrl: null, projectUrl: null, discussionUrl: null },
      },
      listDay,
      observation: observationOf(listDay, context.observedAt, { upvotes: null, comments: null, stars: null }),
    })
  }

  for (const { line, lines } of blocksOf(text)) {
    const whole = cleanText(lines.join(' '), ABSTRACT_LENGTH)
    if (whole === '') continue
    const day = readDateHeading(whole, context.today)
    if (day !== null) {
      dropTitle()
      listDay = context.listDay ?? day
      begun = true
    } else if (whole.length < MIN_ABSTRACT) {
      dropTitle()
      title = { text: cleanLine(whole.replace(/^title: /i, ''), TITLE_LENGTH), line }
    } else if (title !== null) {
      addPaper(title.text, whole.replace(/^abstract[:.] /i, ''), title.line)
      title = null
    } else {
      // Title and abstract without a blank line between them, or one more paragraph of the abstract before.
      const first = cleanLine(lines[0] ?? '', TITLE_LENGTH)
      const rest = cleanText(lines.slice(1).join(' '), ABSTRACT_LENGTH)
      const last = listings.at(-1)?.paper
      if (first !== '' && first.length < MIN_ABSTRACT && rest.length >= MIN_ABSTRACT) addPaper(first, rest, line)
      else if (last !== undefined) last.abstract = continued(last.abstract, whole)
      else problems.push({ where: `line ${line}`, problem: 'no title stands before this abstract' })
    }
  }
  dropTitle()
  return { listings, problems }
}
