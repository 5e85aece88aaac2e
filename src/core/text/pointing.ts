/** What in the middle of a sentence points to something told before it, and how such a clause is left out. */

/** Nouns that stand for something told before, by their stems. */
const SHELLS =
  '(gap|issue|challenge|limitation|problem|shift|phenomen|view|abilit|formalism|assumption|question|insight|observation|finding|' +
  'task|setting|goal|need|trade-off|dilemma|difficult|shortcoming|bottleneck|hypothes|principle|idea|direction|trend|perspective|' +
  'difference|condition|cycle|field|behavio|weakness|vulnerabilit|discrepanc|obstacle|barrier|requirement|concern|propert|process)'
const DETERMINER =
  '(?:this|these|those|such an?|such(?= [\\p{L}-]+s\\b)|(?:the|all|these|all these) (?:two|three|four|five|above))'
const POINTING = new RegExp(`\\b${DETERMINER}(?: [\\p{L}-]+){0,3}? ${SHELLS}\\p{L}*`, 'giu')

/** Whether a sentence points to something that it has not named itself: "… that addresses these shifts by …". */
export const pointsBack = (text: string): boolean =>
  [...text.matchAll(POINTING)].some(
    ({ index, 1: noun = '' }) => !text.slice(0, index).toLowerCase().includes(noun.toLowerCase()),
  )

/** A clause about such a noun and no more: "which separates the two questions", "to bridge this gap", "tailored for this task". */
const CLAUSE = new RegExp(
  `,? (?:(?:that|which) (?:aims? to |is designed to |seeks to )?\\p{L}+(?: and \\p{L}+)?|` +
    '(?:(?:specifically |explicitly )?(?:designed|tailored|built|developed|aimed|intended) )?' +
    '(?:to (?:\\p{L}+ly )?\\p{L}+(?: and \\p{L}+)?|at \\p{L}+ing|for)|' +
    '(?:addressing|bridging|closing|tackling|filling|overcoming|resolving|solving|mitigating)) ' +
    `(?:both |all )?${DETERMINER}(?: [\\p{L}-]+){0,3}? ${SHELLS}[\\p{L}-]*` +
    '(?=[.,;:]|$| (?:by|through|via|with|within|using|and|in|from|for|while)\\b)',
  'iu',
)
/** What a sentence says before such a clause, at least: UTF-16 units, all in one clause. */
const LEAST_BEFORE = 30

/** A sentence without such a clause, for which `…` stands; at the end it is left out, and `isCut` says so. */
export const withoutPointing = (text: string): { text: string; isCut: boolean } => {
  const found = pointsBack(text) ? CLAUSE.exec(text) : null
  const before = found === null ? '' : text.slice(0, found.index)
  if (found === null || before.slice(Math.max(before.lastIndexOf(';'), before.lastIndexOf(',')) + 1).length < 12)
    return { text, isCut: false }
  if (before.length < LEAST_BEFORE) return { text, isCut: false }
  const rest = text.slice(found.index + found[0].length)
  if (rest.length < 2) return { text: before + rest, isCut: true }
  return { text: `${before} …${rest.replace(/^[,;:]/, '')}`, isCut: false }
}
