/** Announcements: one mail in Markdown to many readers, read from what an operator wrote, with what is wrong by line. */
import { createHash } from 'node:crypto'
import { checkMarkdown, type MarkdownProblem } from './text/markdown.ts'
import { cleanLine } from './text/text.ts'

export interface AnnouncementText {
  /** One line. */
  subject: string
  /** Markdown. */
  body: string
}

/** Longer subjects are cut by every mail client. */
export const SUBJECT_LENGTH = 120
/** Characters of a body, so that no mail client cuts the mail: Gmail does beyond 100 KB of HTML. */
export const BODY_LENGTH = 20_000

/** Line ends of one kind, and no control or bidirectional character but these and tabs: one bare CR ends a DKIM signature. */
const cleanBody = (text: string): string =>
  text
    .toWellFormed()
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(/[[\p{Cc}\p{Bidi_Control}]--[\n\t]]/gv, ' ')
    .trimEnd()

/** A text as it is announced, or what is wrong with it. `bodyLine`: the line on which the body begins, for the problems. */
export const checkAnnouncement = (
  given: AnnouncementText,
  { subjectLine = 1, bodyLine = 1 } = {},
): { text: AnnouncementText } | { problems: MarkdownProblem[] } => {
  const subject = cleanLine(given.subject, SUBJECT_LENGTH + 1)
  const body = cleanBody(given.body)
  const problems: MarkdownProblem[] = []
  if (subject === '') problems.push({ line: subjectLine, problem: 'The subject is missing.' })
  if (subject.length > SUBJECT_LENGTH)
    problems.push({ line: subjectLine, problem: `The subject is longer than ${SUBJECT_LENGTH} characters.` })
  if (body.trim() === '') problems.push({ line: bodyLine, problem: 'The text is missing.' })
  if (body.length > BODY_LENGTH)
    problems.push({ line: bodyLine, problem: `The text has ${body.length} characters; ${BODY_LENGTH} are the most.` })
  else problems.push(...checkMarkdown(body).map(({ line, problem }) => ({ line: line + bodyLine - 1, problem })))
  return problems.length > 0 ? { problems } : { text: { subject, body } }
}

/**
 * Reads a file: front matter with the subject, then Markdown.
 *
 *     ---
 *     subject: We move to another server
 *     ---
 *     On Monday …
 */
export const readAnnouncementFile = (file: string): ReturnType<typeof checkAnnouncement> => {
  const lines = cleanBody(file).split('\n')
  const end = lines.indexOf('---', 1)
  if (lines[0]?.trim() !== '---' || end < 0)
    return {
      problems: [
        { line: 1, problem: 'The file begins with a line ---, then subject: and the subject, then another ---.' },
      ],
    }
  const problems: MarkdownProblem[] = []
  let subject = ''
  let subjectLine = 1
  for (const [at, line] of lines.slice(1, end).entries()) {
    const [, name, value = ''] = /^(\w[\w-]*):(.*)$/.exec(line) ?? []
    if (name === 'subject') {
      subject = value.trim().replace(/^(["'])(.*)\1$/, '$2')
      subjectLine = at + 2
    } else if (line.trim() !== '')
      problems.push({ line: at + 2, problem: 'Between the lines --- there is subject: alone.' })
  }
  const checked = checkAnnouncement(
    { subject, body: lines.slice(end + 1).join('\n') },
    { subjectLine, bodyLine: end + 2 },
  )
  if ('text' in checked && problems.length === 0) return checked
  return { problems: [...problems, ...('problems' in checked ? checked.problems : [])] }
}

/** SHA-256 of a text: equal for equal mails, whoever they go to. */
export const contentHash = ({ subject, body }: AnnouncementText): Buffer =>
  createHash('sha256').update(subject).update('\0').update(body).digest()
