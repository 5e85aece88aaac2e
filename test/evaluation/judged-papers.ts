/** Judged papers: their topics with grades, and their upvotes in the morning and a week later. */
import { isoWeekOf } from '../../src/core/calendar.ts'
import type { Listing } from '../../src/core/papers/paper.ts'
import type { Problem } from '../../src/core/papers/paper-file.ts'
import { isRow, readArxivId } from '../../src/core/papers/paper-row.ts'
import { isTopic } from '../../src/core/topics.ts'

export interface EvaluatedPaper {
  id: string
  title: string
  abstract: string
  /** `YYYY-MM-DD`. */
  listDay: string
  /** Such as `2026-W14`. */
  week: string
  /** By topic, 2 or 1; `null` for a paper without a judgement. */
  grades: Readonly<Record<string, number>> | null
  /** On the morning of the list day; `null` where they were not read then. */
  morning: number | null
  /** A week or more later. */
  settled: number | null
}

/** A row of a labels file: the topics of a paper with their grades. */
export interface Label {
  id: string
  grades: Record<string, number>
}

/** A row of an upvotes file. */
export interface Upvotes {
  id: string
  morning: number | null
  settled: number | null
}

/** Rows that could be read, and the others with the reason. */
export interface Rows<Row> {
  rows: Row[]
  problems: Problem[]
}

/** The id as papers have it: that of arXiv without version, otherwise `file:` and the given one. */
const idOf = (value: unknown): string | null => {
  if (typeof value !== 'string' || value.trim() === '') return null
  return readArxivId(value) ?? `file:${value.trim().replace(/^file:/, '')}`
}

const gradesOf = (value: unknown): Record<string, number> | string => {
  if (!isRow(value)) return 'it has no "topics"'
  for (const [topic, grade] of Object.entries(value)) {
    if (!isTopic(topic)) return `there is no topic "${topic}"`
    if (grade !== 0 && grade !== 1 && grade !== 2) return `the grade of ${topic} is not 0, 1 or 2`
  }
  return value as Record<string, number>
}

const parse = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** Reads JSON Lines by `read`, which gets a row with the id as papers have it, and returns it or what is wrong with it. */
export const readRows = <Row>(
  text: string,
  read: (row: Record<string, unknown>, id: string) => Row | string,
): Rows<Row> => {
  const rows: Row[] = []
  const problems: Problem[] = []
  for (const [at, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (line.trim() === '') continue
    const where = `line ${at + 1}`
    const row = parse(line)
    const id = isRow(row) ? idOf(row.id) : null
    const parsed = !isRow(row) ? 'it is cut off or not JSON' : id === null ? 'it has no "id"' : read(row, id)
    if (typeof parsed === 'string') problems.push({ where, problem: parsed })
    else rows.push(parsed)
  }
  return { rows, problems }
}

/** Reads judgements, JSON Lines: `{"id": "2604.00001", "topics": {"robotics": 2}}`. */
export const readLabels = (text: string): Rows<Label> =>
  readRows(text, (row, id) => {
    const grades = gradesOf(row.topics)
    return typeof grades === 'string' ? grades : { id, grades }
  })

const countOf = (value: unknown): number | null => (Number.isFinite(value) && Number(value) >= 0 ? Number(value) : null)

/** Reads upvotes, JSON Lines: `{"id": "2604.00001", "upvotes_morning": 4, "upvotes_settled": 31}`; either may be null. */
export const readUpvotes = (text: string): Rows<Upvotes> =>
  readRows(text, (row, id) => ({ id, morning: countOf(row.upvotes_morning), settled: countOf(row.upvotes_settled) }))

/** Papers with their labels and upvotes, and the ids on either side without a counterpart. */
export interface Joined {
  papers: EvaluatedPaper[]
  /** Ids of labels without a paper. */
  unknownLabels: string[]
  /** Ids of papers without a label, when there are labels at all. */
  unlabelled: string[]
}

/** Joins papers, judgements and upvotes by id. A paper of several lists has its earliest list day. */
export const joinPapers = (
  listings: readonly Listing[],
  labels: readonly Label[] | null,
  upvotes: readonly Upvotes[],
): Joined => {
  const grades = new Map(labels?.map((label) => [label.id, label.grades]))
  const counts = new Map(upvotes.map((row) => [row.id, row]))
  const papers = new Map<string, EvaluatedPaper>()
  for (const { paper, listDay } of listings.toSorted((a, b) => (a.listDay < b.listDay ? -1 : 1))) {
    if (papers.has(paper.id)) continue
    const { id, title, abstract } = paper
    papers.set(id, {
      id,
      title,
      abstract,
      listDay,
      week: isoWeekOf(listDay),
      grades: grades.get(id) ?? null,
      morning: counts.get(id)?.morning ?? null,
      settled: counts.get(id)?.settled ?? null,
    })
  }
  return {
    papers: [...papers.values()],
    unknownLabels: [...grades.keys()].filter((id) => !papers.has(id)),
    unlabelled: labels === null ? [] : [...papers.keys()].filter((id) => !grades.has(id)),
  }
}
