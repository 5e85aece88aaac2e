/** Shows LaTeX as plain text: titles and abstracts at arXiv are written in it, and a reader should see none of it. */
import { cleanLine } from './text.ts'

/** `\name` to the character it stands for. Names of letters swallow the space after them, as LaTeX does. */
const LETTERS = new Map(
  Object.entries({
    ss: 'ß',
    o: 'ø',
    O: 'Ø',
    l: 'ł',
    L: 'Ł',
    ae: 'æ',
    AE: 'Æ',
    oe: 'œ',
    OE: 'Œ',
    aa: 'å',
    AA: 'Å',
    i: 'i',
  }),
)

const SYMBOLS = new Map(
  (
    'alpha=α beta=β gamma=γ delta=δ epsilon=ε varepsilon=ε zeta=ζ eta=η theta=θ vartheta=ϑ iota=ι kappa=κ lambda=λ ' +
    'mu=μ nu=ν xi=ξ omicron=ο pi=π varpi=ϖ rho=ρ varrho=ϱ sigma=σ varsigma=ς tau=τ upsilon=υ phi=φ varphi=φ chi=χ ' +
    'psi=ψ omega=ω Gamma=Γ Delta=Δ Theta=Θ Lambda=Λ Xi=Ξ Pi=Π Sigma=Σ Upsilon=Υ Phi=Φ Psi=Ψ Omega=Ω ' +
    'pm=± mp=∓ times=× cdot=· div=÷ leq=≤ le=≤ geq=≥ ge=≥ neq=≠ ne=≠ approx=≈ sim=~ simeq=≃ equiv=≡ propto=∝ ll=≪ ' +
    'gg=≫ infty=∞ to=→ rightarrow=→ Rightarrow=⇒ leftarrow=← leftrightarrow=↔ uparrow=↑ downarrow=↓ mapsto=↦ deg=° ' +
    'degree=° textdegree=° circ=° ldots=… dots=… cdots=… textellipsis=… textgreater=> textless=< lt=< gt=> ell=ℓ ' +
    'nabla=∇ partial=∂ in=∈ notin=∉ subset=⊂ cup=∪ cap=∩ forall=∀ exists=∃ sum=∑ prod=∏ int=∫ sqrt=√ langle=⟨ ' +
    'rangle=⟩ mid=| vert=| Vert=‖ star=⋆ ast=* bullet=• oplus=⊕ otimes=⊗ S=§ P=¶ dag=† ddag=‡ copyright=© ' +
    'textregistered=® texttrademark=™ textemdash=— textendash=– textbar=| textasciitilde=~ textunderscore=_ ' +
    'eg=e.g. ie=i.e. etc=etc. quad= qquad='
  )
    .split(' ')
    .map((pair) => pair.split('=') as [string, string]),
)

/** Commands that say how something looks: nothing is left of them, their contents stay. */
const SILENT = new Set(
  (
    'it bf em sc tt sl rm sf normalfont itshape bfseries scshape tiny small large Large huge displaystyle textstyle ' +
    'left right big Big bigg Bigg bigl bigr allowbreak linebreak newline noindent protect xspace limits nolimits ' +
    'centering mathit mathbf mathrm text'
  ).split(' '),
)

/** Commands whose first argument is for the typesetter. */
const SKIPS_ARGUMENT = new Set(
  'cite citep citet citeauthor ref eqref autoref cref label color textcolor href vspace hspace begin end'.split(' '),
)

/** `\'e` and its like: the combining mark, and the letters it is found on. On any other the sign stands for itself. */
const ACCENTS: Record<string, { mark: string; on: RegExp }> = {
  "'": { mark: '\u0301', on: /[aeiouycnszlrgkmpw]/i },
  '`': { mark: '\u0300', on: /[aeiouywn]/i },
  '"': { mark: '\u0308', on: /[aeiouywx]/i },
  '^': { mark: '\u0302', on: /[aeiouycghjswz]/i },
  '~': { mark: '\u0303', on: /[aeiouynv]/i },
  '=': { mark: '\u0304', on: /[aeiouyg]/i },
  '.': { mark: '\u0307', on: /[acegiz]/i },
  c: { mark: '\u0327', on: /[cstegklnr]/i },
  v: { mark: '\u030C', on: /[a-z]/i },
  H: { mark: '\u030B', on: /[ou]/i },
  u: { mark: '\u0306', on: /[aegiou]/i },
  r: { mark: '\u030A', on: /[au]/i },
  k: { mark: '\u0328', on: /[aeiou]/i },
  d: { mark: '\u0323', on: /[a-z]/i },
}

const RAISED = new Map([...'0123456789+-=()niT*'].map((from, at) => [from, [...'⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵀ*'][at] ?? from]))
const LOWERED = new Map(
  [...'0123456789+-=()aeoxhklmnpstij'].map((from, at) => [from, [...'₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₒₓₕₖₗₘₙₚₛₜᵢⱼ'][at] ?? from]),
)

/** Every character by the map, or `null` if one of them has no such form. */
const mapped = (text: string, map: Map<string, string>): string | null =>
  [...text].every((character) => map.has(character)) ? [...text].map((one) => map.get(one)).join('') : null

const raise = (text: string): string => mapped(text, RAISED) ?? (/^[°′*†]$/.test(text) ? text : `^${grouped(text)}`)
const lower = (text: string): string => mapped(text, LOWERED) ?? (text.length > 1 ? text : `_${text}`)
const grouped = (text: string): string => (text.length > 1 ? `(${text})` : text)

/** What is read of `\name`, with the space that follows it and the brace that opens its argument, if any. */
const named = (name: string, space: string, brace: string): string => {
  const letter = LETTERS.get(name)
  if (letter !== undefined) return letter + brace
  const symbol = SYMBOLS.get(name)
  if (symbol !== undefined) return symbol + (brace === '' ? space : brace)
  // An author's own macro, such as \ours: its name is all there is to read. One with an argument says how it looks.
  return SILENT.has(name) || brace !== '' ? brace : name + space
}

const accented = (sign: string, letter: string): string => {
  const accent = ACCENTS[sign]
  return accent?.on.test(letter) ? (letter + accent.mark).normalize('NFC') : sign + letter
}

/** What is left of formulas in sources that lose dollar signs and backslashes: "8times faster", "approx20%", "450~MB". */
const REMAINS: readonly [RegExp, string][] = [
  [/(?<=\d)times\b|(?<=\d)times(?=[\d\p{Lu}])|(?<=\b\p{Lu})times\b|(?<=\d )times(?= \d)/gu, '×'],
  [/\bapprox ?(?=\d)/g, '≈'],
  [/(?<=\b|\d)sim(?=\d[\d.,]*(?:[%×]|(?![\d.,\p{L}])))/gu, '~'],
  [/(?<= )propto(?= )/g, '∝'],
  [/(?<= )leq(?= )/g, '≤'],
  [/(?<= )geq(?= )/g, '≥'],
  [/(?<=\d)~(?=\p{L})/gu, ' '],
  [/(?<=\d|[\p{L}]-?\d+)\^\(?circ\)?/gu, '°'],
  [/(?<=[\d%)] ?)rightarrow(?= ?[\d(])/gu, '→'],
  [/(?<=\p{Lu})leftrightarrow(?=\p{Lu})/gu, '↔'],
  [/(?<=[\d%])uparrow\b/gu, '↑'],
  [/(?<=[\d%])downarrow\b/gu, '↓'],
]
/** "tau=-0.7", of the letters that are no words. */
const GREEK_VALUE = /\b(alpha|beta|gamma|delta|epsilon|eta|theta|kappa|lambda|rho|sigma|tau)(?= ?= ?-?[\d.])/g
/** "q_i" without its dollar signs. */
const INDEXED = /(?<![\p{L}\p{N}_\\])(\p{L})_([a-z\d])(?![\p{L}\p{N}_])/gu

const withSymbols = (text: string): string =>
  REMAINS.reduce((rest, [remains, symbol]) => rest.replace(remains, symbol), text)
    .replace(GREEK_VALUE, (name) => SYMBOLS.get(name) ?? name)
    .replace(INDEXED, (whole, letter: string, index: string) => {
      const lowered = LOWERED.get(index)
      return lowered === undefined ? whole : letter + lowered
    })

/** Dollar signs are mathematics only in pairs that hold a formula, and prices otherwise ("from $1 to $5 million"). */
const FORMULA = /(?<!\\)(\${1,2})(?![\s\d,.]+\$)(\S|\S[^$]{0,200}?[^\s$\\])\1/g
const LOOKS_LIKE_MATHS = /[\\^_{}=<>+/()]|^[\p{L}\d.,×%-]{1,6}$/u

const plain = (text: string): string =>
  withSymbols(text)
    .replace(FORMULA, (whole, _sign: string, inside: string) =>
      LOOKS_LIKE_MATHS.test(inside) ? inside.replace(/([_^])([A-Za-z0-9*+-])(?![{])/g, '$1{$2}') : whole,
    )
    .replace(/\\[()[\]]/g, '')
    // "query\'s" is an apostrophe escaped by a program, not an accent on the s.
    .replace(/(?<=[\p{L}\p{N}])\\'s(?!\p{L})/gu, "'s")
    .replace(/\\([a-zA-Z]+)\s*\{[^{}]*\}/g, (whole, name: string) => (SKIPS_ARGUMENT.has(name) ? '' : whole))
    .replace(/\\(['`"^~=.])\{?(?:\\(?=[ij](?![a-zA-Z])))?([a-zA-Z])/g, (_, sign: string, letter: string) =>
      accented(sign, letter),
    )
    .replace(/\\([cvHurkd])\s*\{([a-zA-Z])\}/g, (_, sign: string, letter: string) => accented(sign, letter))
    .replace(/\\frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}/g, (_, a: string, b: string) => `${grouped(a)}/${grouped(b)}`)
    .replace(/\\([a-zA-Z]+)\*?(\s*)(\{?)/g, (_, name: string, space: string, brace: string) =>
      named(name, space, brace),
    )
    .replace(/\\[,;:!]/g, '')
    .replace(/\\[\\\s]/g, ' ')
    .replace(/(?<=[A-Za-z.)])~(?=[\p{L}\p{N}([])/gu, ' ')
    .replace(/\^\{[,\s]*([^{}]*)\}/g, (_, inside: string) => raise(inside))
    .replace(/(?<!\\)_\{([^{}]*)\}/g, (_, inside: string) => lower(inside))
    .replace(/(?<=[\p{L}\p{N})])\^([0-9°*])(?!\d)/gu, (_, digit: string) => raise(digit))
    .replace(/(?<!\\)[{}]/g, '')
    .replace(/\\(?=[^\sA-Za-z])/g, '')
    .replace(/``|''/g, (quotes) => (quotes === '``' ? '“' : '”'))
    .replace(/(?<=\s)---?(?=\s)|(?<=[\p{L}\p{N})])--(?=[\p{L}\p{N}(])/gu, '–')
    .replace(/(?<=[^\s-])---(?=[^\s-])/g, '—')

/** Words that a source glued together, and spaces before a stop: "Wefirst construct", "in time,while", "NUMINA , a". */
const GLUED: readonly [RegExp, string][] = [
  [
    /\bWe(?=(?:first|then|also|further|propose|present|introduce|show|find|develop|evaluate|construct|study|use)\b)/g,
    'We ',
  ],
  [/(?<=\p{Ll}{4}),(?=\p{Ll}{4})/gu, ', '],
  [/(?<=\p{Ll}{4})\.(?=\p{Lu}\p{L}*[ ,])/gu, '. '],
  [/(?<=[.!?] )% (?=\p{Lu}\p{L}* )/gu, ''],
  // What the source lost a name from: "a new transformer (), with", "a diagnostic set, .".
  [/(?<=\p{L}) \(\s*\)(?=[\s,.;])/gu, ''],
  [/, ?\.(?=\s|$)/gu, '.'],
  [/(?<=\p{L})(?<!\b(?:introduce|present|propose|release)) (?=[,;](?:\s|$))/gu, ''],
]

/** Without any of these a text is plain already. */
const MAY_BE_LATEX =
  / % |circ|arrow|\(\s*\)|\bWe\p{Ll}{3}|\p{Ll},\p{Ll}|\p{Ll}\.\p{Lu}| [,;]|[\\${}^_~`]|''|--|times|approx|sim\d|propto|[lg]eq|\p{L} ?= ?-?[\d.]/u

/**
 * A title or abstract without LaTeX, for display: `{\tau}` is τ, `M^3` is M³, `Pok\'emon` is Pokémon, `45\%` is 45%,
 * `\textbf{x}` and `$x$` are x; so is what a source left of a formula without its backslash (`8times` is 8×). A macro we do
 * not know leaves its name. Web addresses stay as they are, prices keep their dollar sign. Never fails, whatever is
 * unbalanced; the result is a clean line.
 */
export const plainLatex = (text: string): string => {
  if (!MAY_BE_LATEX.test(text)) return text
  const parts = text.replace(/\\href\s*\{[^{}]*\}\s*\{([^{}]*)\}/g, '$1').split(/(https?:\/\/[^\s{}\\]+)/)
  const shown = parts.map((part, at) => (at % 2 === 1 ? part : plain(part))).join('')
  const parted = GLUED.reduce((rest, [glued, apart]) => rest.replace(glued, apart), shown)
  return cleanLine(parted, parted.length)
}

/** A title for display: plain, and with a space after the name it begins with ("FORGE:Fine-grained …"). */
export const plainTitle = (title: string): string =>
  plainLatex(title).replace(/^(\p{Lu}[\p{L}\p{N}-]*):(?=\p{Lu}\p{Ll})/u, '$1: ')
