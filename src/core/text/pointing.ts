/** What in the middle of a sentence points to something told before it, and how such a clause is left out. */
import { PAPER, SHELLS } from './opening.ts'

const DETERMINER =
  '(?:this|these|those|such an?|such(?! as\\b)(?= [\\p{L}-]+s\\b(?! as\\b))|(?:the|these|all these) (?:two|three|four|five|above)|' +
  `all (?:two|three|four|five)(?= ${SHELLS.replace('(', '(?:')}))`
const POINTING = new RegExp(`\\b${DETERMINER}(?: [\\p{L}-]+){0,3}? ${SHELLS}\\p{L}*`, 'giu')

/** Two forms of a noun begin alike: "capability" and "capabilities". */
const STEM = 5
const isNamedIn = (noun: string, text: string): boolean =>
  text.toLowerCase().includes(noun.toLowerCase().replace(/s$/, '').slice(0, STEM))

/** Whether a sentence points to something that it has not named itself: "… that addresses these shifts by …". */
export const pointsBack = (text: string): boolean =>
  [...text.matchAll(POINTING)].some(({ index, 1: noun = '' }) => !isNamedIn(noun, text.slice(0, index)))

/** What a paper calls what it offers: "this technique" is understood. */
const OWN =
  'approach|method|technique|framework|model|system|strategy|pipeline|algorithm|architecture|benchmark|dataset|design|mechanism|formulation|module|result|finding'
/** No noun, and the comma after it is one between adjectives: "these critical, hidden words". */
const ADJECTIVE = '[\\p{L}-]+(?:al|ive|ous|ic|able|ible|ed|ing),'
/** What points with any noun, to where it ends: "these two paradigms", "this selective escalation skill". */
const POINTED =
  `(?!those\\b)${DETERMINER}(?! (?:${PAPER})\\b)(?: (?:${ADJECTIVE}|[\\p{L}-]+)){0,3}? ` +
  `(?!(?:${OWN})s?\\b|${ADJECTIVE})([\\p{L}-]+)`
const ENDS =
  '(?=[.,;:]|$| (?:by|through|via|with|within|using|and|in|into|from|for|to|on|as|at|across|toward|towards|under|while|without)\\b)'
const POINTED_TO = new RegExp(`\\b${POINTED}${ENDS}`, 'giu')

/** Whether a sentence points with any noun to what neither it nor `known`, the text before it, has named. */
export const pointsBeyond = (text: string, known: string): boolean =>
  [...text.matchAll(POINTED_TO)].some(({ index, 1: noun = '' }) => !isNamedIn(noun, `${known} ${text.slice(0, index)}`))

const COUNT = 'two|three|four|five|six|seven|eight|nine|ten'
/** Things that are counted and not named: "both settings", "all three tasks", "the latter". "Both maps and towns" are named. */
const COUNTED =
  `(?:(both)(?![^.,;:()]* and )|all (${COUNT})|the (?:latter|former)(?: (${COUNT}))?) ` +
  `(?!(?:how|what|in|on|the|of|via|to|as|when|by)\\b)(?:(?!(?:and|or)\\b)[\\p{L}\\d-]+ ){0,2}?([\\p{L}-]+[^\\Wus]s)(?! (?:and|or|of)\\b|:| \\()`
const COUNTED_THINGS = new RegExp(`\\b${COUNTED}(?![\\p{L}-])`, 'giu')

/** Whether a sentence counts things that neither it nor `known`, the text before it, has named. */
export const countsBeyond = (text: string, known: string): boolean =>
  [...text.matchAll(COUNTED_THINGS)].some(({ index, 1: both, 2: all, 3: last, 4: noun = '' }) => {
    const before = `${known} ${text.slice(0, index)}`
    const isCounted = both === undefined && before.toLowerCase().includes(` ${all ?? last} `)
    return !isCounted && !isNamedIn(noun, before)
  })

/** "Solve the task better", "on subsequent problems": of which the sentence itself says no more. */
const UNSAID =
  /(?<!depending on |regardless of )\b(?:the (task|problem|setting|challenge|issue|question|gap)s?(?=[.,;]| (?:more|better|faster|and|is|are)\b)|(?:subsequent|remaining|aforementioned) ([\p{L}-]+s)\b)/giu
/** "In two distinct tasks.", "on the widely used model": which, nothing says. */
const UNNAMED =
  /^(?:two |three |several )?(?:additional|other) [\p{Ll}-]+ |\btwo (?:distinct|different|separate) [\p{L}-]+s(?=[.;]|$)|\bthe (?:widely|commonly)[ -]used [\p{Ll} -]+(?=[.,;]|$)/iu
/** What was said before is set against it, or is where it holds: "Readers, in contrast, …", "Here, folding is favoured". */
const CONTRAST = /[,;] (?:in|by) contrast,|^[^,]{1,60}, (?:however|instead|conversely|on the other hand),/iu
/** "We further find", "Ablation results further show": of which nothing was shown before. */
const FURTHER = /^(?:we further (?:observe|find)|(?:our )?ablation(?: \p{L}+){0,3} further)\b/iu
const HERE = /^here,? (?!we\b|i\b)/iu
/** "At τ = -0.7". Coefficients that everybody reports have letters of their own. */
const SYMBOL = /(?<![\p{L}\p{N}])(?![ρκμχ])([α-ωΑ-Ω])(?![\p{L}\p{N}²-])/gu
/** "Only the weights of these activations", in the middle of a sentence: what was said as a whole has a noun of its own. */
const THESE = new RegExp(
  `(?<=.{20})\\b(?:these|those) (?:[\\p{L}-]+ ){0,2}?(?!${SHELLS.replace('(', '(?:')})([\\p{L}-]+s)${ENDS}`,
  'giu',
)

/**
 * Whether a sentence needs more than what is shown before it: `first`, the sentence, and the title. It solves "the task", contrasts,
 * counts, points or has a symbol, of which none was named. One that `follows` the sentence shown right before it may contrast with
 * that, and sum it up.
 */
export const needsMore = (text: string, first: string, title: string, follows: boolean): boolean => {
  const known = `${title} ${first}`
  const before = (from: string, index: number) => `${from} ${text.slice(0, index)}`
  if (UNNAMED.test(text) || HERE.test(text) || countsBeyond(text, known)) return true
  if (!follows && (CONTRAST.test(text) || FURTHER.test(text) || pointsBeyond(text, known))) return true
  return (
    [...text.matchAll(UNSAID)].some(
      ({ index, 1: one, 2: other }) => !isNamedIn(one ?? other ?? '', before(known, index)),
    ) ||
    [...text.matchAll(THESE)].some(
      ({ index, 1: noun = '' }) => !isNamedIn(noun, before(follows ? first : known, index)),
    ) ||
    [...text.matchAll(SYMBOL)].some(([, letter = '']) => !known.includes(letter))
  )
}

/**
 * A clause about such a noun and no more: "which separates the two questions", "to bridge this gap", "tailored for this task",
 * "in these complex scenes".
 */
const CLAUSE = new RegExp(
  `,? (?:(?:that|which) (?!\\p{L}+ing\\b)(?:\\p{L}+ly )?(?:aims? to |is designed to |seeks to )?(?:\\p{L}+ly )?\\p{L}+(?: and \\p{L}+)?|` +
    '(?:(?:specifically |explicitly )?(?:designed|tailored|built|developed|aimed|intended|created|made) )?' +
    '(?:to (?:\\p{L}+ly )?\\p{L}+(?: and \\p{L}+)?|at \\p{L}+ing|for(?: \\p{L}+ing)?)|' +
    '(?:addressing|bridging|closing|tackling|filling|overcoming|resolving|solving|mitigating)|' +
    `(?:in|under|within|across|throughout|on)) (?:both |all )?${POINTED}${ENDS}`,
  'giu',
)
/** Where such things are: "… in both settings.", "… (both networks)". */
const COUNTED_PLACE = new RegExp(
  `,? (?:(?:in|on|under|within|across|throughout|over|for) ${COUNTED}${ENDS}|\\(${COUNTED}\\))`,
  'giu',
)
/** Before such a clause: a word that needs it, as in "enables a map to fold these sheets" and "we show that it folds these sheets". */
const NEEDED =
  /\b(?:enabl(?:e|es|ed|ing)|allow(?:s|ed|ing)?|help(?:s|ed|ing)?|aim(?:s|ed|ing)?|able|how|order|fail(?:s|ed)?|needs?|wants?|seeks?|try|tries|learn(?:s|ed)?|force[sd]?|encourage[sd]?|guide[sd]?|guiding|requir(?:e|es|ed|ing)|instruct(?:s|ed)?|trains?|trained|show(?:s|n)?|demonstrate[sd]?|finds?|found|reveal(?:s|ed)?|argue[sd]?|prove[sd]?|observe[sd]?|suggest(?:s|ed)?|indicate[sd]?|confirm(?:s|ed)?|claim(?:s|ed)?|rely|relies|focus(?:es|ed)?|depends?|insists?|appl(?:y|ies|ied))(?: [^\s,;]+){0,4}$/iu
/** What a sentence says before such a clause, at least: UTF-16 units, all in one clause. */
const LEAST_BEFORE = 30
/** What comes after it and hangs on it: "… these paradigms into one system". What begins otherwise stands without it. */
const HANGS = /^ (?:into|within|in|to|from|on|as|at|across|towards?|under|without)\b[^.,;:]*/iu

/** Where so much is said before, in UTF-16 units, what was done "by folding" goes too: no word is left that it belongs to. */
const SAYS_ENOUGH = 60
const HANGS_OR_BY = new RegExp(`${HANGS.source}|^ by \\p{L}+ing\\b[^.;:]*`, 'iu')

/** What says only of which kind a thing is, "X, a unified framework", and what would then tell what it does: "… into a single system". */
const IS_STUB = /, (?:an?|the) (?:[\p{L}-]+ ){0,4}[\p{L}-]+$/u
const LEAST_HANGING = /^ (?:into|within|from|by|through|via)(?: [^\s.;:]+){3}/iu
/** Verbs that say nothing without what is pointed to. */
const MEETS = /\b(?:address|bridg|clos|tackl|fill|overcom|resolv|solv|mitigat)(?:e|es|s|ing)?\b/iu
const START_OF_POINTED = new RegExp(`\\b(?:both |all )?${POINTED}$`, 'iu')

/** "In These results": within a sentence no determiner has a capital, so another one begins there without a stop before it. */
const BEGINS_ANOTHER = /\b(?:This|These|Those|Such|The|All|Both)\b/u

/** A sentence without such a clause, for which `…` stands; at the end it is left out, and `isCut` says so. */
export const withoutPointing = (text: string): { text: string; isCut: boolean } => {
  const clauses = [...text.matchAll(CLAUSE)].map(({ 0: clause, 1: noun = '', index }) => ({ clause, noun, index }))
  const places = [...text.matchAll(COUNTED_PLACE)]
    .filter(({ 0: place, index }) => place.endsWith(')') || countsBeyond(place, text.slice(0, index)))
    .map(({ 0: clause, 4: noun = '', index }) => ({ clause, noun, index }))
  for (const { clause, noun, index } of [...clauses, ...places]) {
    const before = text.slice(0, index)
    const inClause = before.slice(Math.max(before.lastIndexOf(';'), before.lastIndexOf(',')) + 1)
    const isBracket = clause.endsWith(')')
    if (
      (isNamedIn(noun, before) && !isBracket) ||
      BEGINS_ANOTHER.test(clause) ||
      before.length < LEAST_BEFORE ||
      inClause.length < 12 ||
      NEEDED.test(inClause)
    )
      continue
    const after = text.slice(index + clause.length)
    const cut = clause.search(START_OF_POINTED)
    if (IS_STUB.test(before) && LEAST_HANGING.test(after) && cut > 0)
      return { text: `${before}${MEETS.test(clause) ? '' : clause.slice(0, cut).trimEnd()} …${after}`, isCut: false }
    const rest = after.replace(before.length < SAYS_ENOUGH ? HANGS : HANGS_OR_BY, '')
    if (rest.length < 2) return { text: before + rest, isCut: true }
    return { text: `${before} …${rest.replace(/^[,;:](?! we\b)/, '')}`, isCut: false }
  }
  return { text, isCut: false }
}
