/** What a curator or a reader writes beside a paper, and the name under which a curator is shown. */
import { cleanLine } from '../text/text.ts'

/** Characters of a note: it stands beside a title. */
export const NOTE_LENGTH = 200
const CURATOR_NAME_LENGTH = 60

/** A line of text within a length, or what is wrong about it, as a sentence. Empty counts as `''`. */
const readLine = (typed: string, most: number, noun: string): { text: string } | { problem: string } => {
  const text = cleanLine(typed, 10 * most)
  return text.length > most
    ? { problem: `${noun} has ${text.length} characters; at most ${most} are allowed.` }
    : { text }
}

/** A note: one line. `missing`: what to say where there is none; `null`: it may be left out. */
export const readNote = (typed: string, missing: string | null): { note: string | null } | { problem: string } => {
  const read = readLine(typed, NOTE_LENGTH, 'The note')
  if ('problem' in read) return read
  if (read.text !== '') return { note: read.text }
  return missing === null ? { note: null } : { problem: missing }
}

/** A curator's name, as readers see it. */
export const readCuratorName = (typed: string): { name: string } | { problem: string } => {
  const read = readLine(typed, CURATOR_NAME_LENGTH, 'The name')
  if ('problem' in read) return read
  return read.text === ''
    ? { problem: 'The name is empty; readers see it beside what the curator does.' }
    : { name: read.text }
}
