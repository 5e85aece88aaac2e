/** Lines of a plain-text mail, folded as its readers expect them. */

/** In UTF-16 units, so never more characters; leaves room for a `> ` or two in a reply. */
export const TEXT_WIDTH = 76

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Pieces of a word that is longer than a line, cut between characters as readers see them. */
const pieces = (word: string, width: number): string[] => {
  if (word.length <= width) return [word]
  const found: string[] = []
  let piece = ''
  for (const { segment } of graphemes.segment(word)) {
    // A letter under a tower of marks may be wider than a line all by itself: that is cut at a code point.
    for (const part of segment.length <= width ? [segment] : segment) {
      if (piece.length + part.length > width) {
        found.push(piece)
        piece = ''
      }
      piece += part
    }
  }
  return [...found, piece]
}

/**
 * Folds lines at spaces so that none has more than 76 characters, keeping each line's indentation; a line that ends in a
 * link stays whole, since a link in two halves is none.
 */
export const foldLines = (text: string): string =>
  text
    .split('\n')
    .flatMap((line) => {
      if (line.length <= TEXT_WIDTH || /https?:\/\/\S+$/.test(line)) return [line.trimEnd()]
      const indent = /^ *(?:(?:\d+\.|-) )?/.exec(line)?.[0] ?? ''
      const hang = ' '.repeat(indent.length)
      const width = TEXT_WIDTH - indent.length
      const folded: string[] = []
      let current = ''
      for (const piece of line
        .slice(indent.length)
        .split(' ')
        .flatMap((word) => pieces(word, width))) {
        if (current === '') current = piece
        else if (current.length + 1 + piece.length <= width) current += ` ${piece}`
        else {
          folded.push(current)
          current = piece
        }
      }
      return [...folded, current].map((part, number) => `${number === 0 ? indent : hang}${part}`.trimEnd())
    })
    .join('\n')
