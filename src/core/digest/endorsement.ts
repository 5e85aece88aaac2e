/** What readers and curators here say for a paper: what is shown of it. */
import { cleanLine, cutAtClause } from '../text/text.ts'
import type { CuratorPick } from './digest.ts'

/**
 * A number of readers is told from here on. Of fewer, who knows some of them could tell how another one voted; it is the
 * smallest cell that public statistics commonly show.
 */
export const LEAST_READERS = 5

/** Of a curator's note so much is quoted: some three lines on a phone. */
const NOTE_LENGTH = 80
const NAME_LENGTH = 60

/** What is shown of a paper's readers and curators; what is absent is not shown. */
export interface Endorsed {
  readers?: number
  pick?: CuratorPick
}

/** What a curator did to a paper, and why; `note` may be any text. */
export interface Curated {
  curator: string
  note: string | null
}

/** The votes for a paper, and how curators picked it and pinned it, if any did. */
export interface Endorsements {
  votes: number
  pick: Curated | null
  pin: Curated | null
}

/** A text that stands in double quotes has single ones within. */
const withSingleQuotes = (text: string): string =>
  text.replace(/(?<=^|[\s([{–—-])["“”„«»](?=\S)/gu, '‘').replace(/["“”„«»]/gu, '’')

/** A pick as readers see it; its note is cut at `most` characters. */
export const shownPick = ({ curator, note }: Curated, most = NOTE_LENGTH): CuratorPick => {
  const shown = withSingleQuotes(cutAtClause(cleanLine(note ?? '', 1_000), most))
  return { by: withSingleQuotes(cleanLine(curator, NAME_LENGTH)), note: shown === '' ? null : shown }
}

/**
 * The readers and the curator of a paper as they are shown; `isPinned`: where it stands first for its pin. One who only
 * pinned it for another place picked it all the same.
 */
export const endorsedBy = ({ votes, pick, pin }: Endorsements, isPinned: boolean): Endorsed => {
  const curated = (isPinned ? pin : pick) ?? pin
  // Who pins what they picked need not say twice why.
  const note = curated?.note ?? (pick?.curator === curated?.curator ? (pick?.note ?? null) : null)
  return {
    ...(votes < LEAST_READERS ? {} : { readers: votes }),
    ...(curated === null
      ? {}
      : { pick: { ...shownPick({ ...curated, note }), ...(isPinned ? { pinned: true as const } : {}) } }),
  }
}
