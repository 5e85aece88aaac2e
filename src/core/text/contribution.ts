/** Tells which sentence of an abstract says what the paper does, and which says what came of it. */
import { unknownNames } from './known-names.ts'
import { dangles, PAPER, SHELLS, withoutConnective, withoutOpening } from './opening.ts'
import { nameInTitle } from './own-macros.ts'
import { countsBeyond, pointsBack, pointsBeyond, withoutPointing } from './pointing.ts'
import type { Sentence } from './sentences.ts'

/** A text to be shown in short: title and abstract as readers see them, without LaTeX. */
export interface TitledAbstract {
  title: string
  /** One paragraph; may be empty. */
  abstract: string
}

/** The authors, or the paper, as the one who acts, and some adverbs after them: "we then systematically". */
const ACTOR =
  `(?:we|i|the authors|(?:this|the present|the) ${PAPER})(?:['’]ve| have)?` +
  '(?:,? (?:\\p{L}+ly|first|then|here|thus|now|instead|hence|also|further|and|in turn|in this paper),?){0,4}'
/** Stems, for "we propose", "this paper proposes" and "we proposed". */
const OFFER =
  '(?:propose|introduce|present|release|open-source|unveil|develop|design|build|create|construct|contribute|describe|' +
  'formulate|devise|put forward|launch|offer|provide|announce|outline|establish|advocate|publish)(?:s|d|ed)?'
const EXAMINE =
  '(?:study|studie|investigate|examine|analy[sz]e|explore|survey|review|revisit|show|demonstrate|find|identify|identifie|' +
  'argue|prove|observe|reveal|discover|ask|consider|formali[sz]e|define|addresse?|tackle|curate|collect|compile|train|unify|' +
  'unifie|extend|adapt|measure|quantify|quantifie|compare|characteri[sz]e|report|' +
  'conduct|perform|summari[sz]e|derive|apply|applie|exploit|leverage|use|take|trace|advance|rethink|reformulate|frame|reframe|view|cast|' +
  'hypothesi[sz]e|uncover|benchmark|instantiate|probe|challenge|question|deploy|generali[sz]e|organi[sz]e|synthesi[sz]e|' +
  'highlight|aim|seek|focuse?|model|solve|implement|test|document|detail|replicate|pioneer|enhance|discusse?|improve|scale|make the case)(?:s|d|ed)?'

/** A noun with what only a sentence before can explain. */
const BACK = `(?:this|these|those|such(?! as\\b)|that (?=${SHELLS})|the (?:two|three|four|five|above|aforementioned))\\b(?! ${PAPER})`

const OFFERS = new RegExp(
  `\\b${ACTOR} (?:${OFFER}\\b|\\p{L}+ [^;]{0,160}?\\b(?:and|to|by) (?:propos|introduc|present)(?:e|es|s|ing)?\\b|(?:bridge|close|fill|address|tackle|overcome)(?:s|d|ed)? (?:this|these|the) \\p{L}+(?: \\p{L}+)? (?:with|via|through)\\b)`,
  'iu',
)
const EXAMINES = new RegExp(`\\b${ACTOR} ${EXAMINE}\\b`, 'iu')
const ACTS = new RegExp(`\\b${ACTOR} (?!(?:hope|believe|expect|anticipate|plan|note|are|will|can|may)\\b)\\p{L}+`, 'iu')
const OFFERED =
  /\b(?:is|are|was|were) (?:hereby |then |therefore )?(?:proposed|introduced|presented)\b|^(?:the|our) (?:approach|method|framework|system)\b[^.]{0,60} (?:is|was) (?:tested|evaluated|studied)\b/iu
/** What came after something that was done before: "We then build …". */
const SEQUEL = /\bwe (?:then|next)\b/iu
/** What was made of what was found before. */
const CONSEQUENCE =
  /^(?:guided|motivated|inspired|informed|driven) by (?:this|these|our) |^(?:based|building|drawing) (?:up)?on (?:this|these|our) (?:\p{L}+ )?(?:insight|finding|observation|analys)/iu
const IN_THIS_PAPER = new RegExp(
  `\\b(?:in|with|through) (?:this|the present|our) ${PAPER}\\b|^(?:this|our) ${PAPER}\\b|^here,? (?:we|i)\\b`,
  'iu',
)
/** "a novel framework", or a name that is explained: "X, a framework". */
const IS_NEW =
  /\b(?:an?|the|two|three|several) (?:\p{L}+ly )?(?:first|novel|new|simple|unified|general|scalable|open|large-scale|comprehensive|systematic|lightweight|efficient)\b|, (?:an?|the first|which) /iu
const IS_SOMETHING = /^.{0,60}?\b(?:is|are) (?:an?|the)\b|^.{0,40}?\b(?:comprises|contains|consists of)\b/u
/** What follows a name that does something, and is no result: " shifts from". */
const ACTS_ITSELF =
  /^(?: \([^)]*\))? (?:\p{Ll}+ly )?(?!outperforms|achieves|surpasses|reaches|consistently|has|is|improves|attains|shows|demonstrates|yields|exceeds)\p{Ll}+s /u
/** "We also …", "Finally, …": there was something more important before. */
const AFTERTHOUGHT =
  /\b(?:we|i|paper|work) (?:also|further|additionally|finally|furthermore)\b|^(?:additionally|moreover|furthermore|finally|simultaneously|also|besides|in addition|beyond (?:this|these|the|our)|second(?:ly)?|third(?:ly)?|last(?:ly)?|next)\b/iu
const BACKGROUND =
  /^(?:however|yet|but|(?:in|by) contrast|similarly|for (?:example|instance)|recent(?:ly)?|existing|current(?:ly)?|previous|prior|traditional|conventional|despite|although|while|whereas|unfortunately|nevertheless|unlike|most|many|as )\b|\b(?:remains?|lacks?|has been|have been|have shown|suffers? from|increasingly|struggles?|under-?studied|under-?explored)\b|^(?:background|introduction|motivation|context)\s*[:—]/iu
const RESULT =
  /\b(?:experiments?|experimental(?:ly)?|results?|extensive|outperform\w*|state-of-the-art|sota|achiev\w+|surpass\w*|ablations?)\b|^empirically\b|^(?:findings|conclusions?|significance)\s*[:—]/iu
/** Verbs whose object may stay unnamed: "we address this challenge by …" goes on to say how. */
const MEETS = '(?:address|bridge|close|tackle|fill|overcome|resolve|solve|meet|fulfil)(?:s|d|ed|es)?'
/** Its object is in a sentence before: "we show that this choice …", "addressing these three gaps", "instantiates this formalism". */
const REFERS_BACK = new RegExp(
  `\\b${ACTOR} (?!${MEETS}\\b)\\p{L}+(?: that| how| why| whether| away from)? (?:(?:it|them|its|their)\\b|${BACK})|` +
    `\\b(?:addressing|bridging|tackling|instantiates|formali[sz]es) (?:all |both )?(?:these|those|the) (?:two|three|four|five)\\b|\\binstantiates? ${BACK}|\\bwe instead\\b|` +
    `\\b(?:identif(?:y|ies|ied)|uncover(?:s|ed)?|trace(?:s|d)?|pinpoint(?:s|ed)?|reveal(?:s|ed)?|find|diagnose) the ` +
    '(?:(?:root|underlying|main|true|core|key) )?(?:cause|reason|culprit)s?\\b(?! (?:of|for|that|why|behind|in)\\b)',
  'iu',
)
/** "We introduce three metrics.": which, the sentences after it say. */
const ANNOUNCES = /^.{0,70}\b(?:two|three|four|five|several) (?:[\p{L}-]+ ){0,2}[\p{L}-]+[.:]$/u

/** Begins with what the sentences before named: "Our approach folds …". */
const UNNAMED =
  /^(?:our|the)(?: proposed)? (?:approach|method|technique|framework|system|model|pipeline|algorithm|decoder|encoder)\b(?!,)/iu
/** A result that another sets off, or is of something named before: "Even within the limited performance, …", "By folding, it …". */
const SET_OFF =
  /^even (?:within|with|under|for|in|when|after)\b|^(?:through|by|via|using|with)\b[^,]{1,80}, (?:it|they)\b/iu

/** Where code and data are to be had: the card has links for that. */
const LINK =
  /https?:\/\/|\b(?:github|gitlab|huggingface)\.(?:com|io|co)\b|^(?:project|code|demo|website|homepage|keywords)\b[^.]{0,20}:|\b(?:available|accessible) (?:at|on|from|via|here)\b|\b(?:releas|open-sourc|publish|mak)\w+ [^.]{0,40}\b(?:code|weights|checkpoints|resources)\b/iu
const AVAILABILITY =
  /\b(?:code|data(?:set)?s?|models?|weights|demos?|page|source|resources)\b[^.]{0,80}\b(?:available|released|accessed|open-sourced|found (?:at|on|in|here))\b/iu

/** "We hope this work provides …", "we outline future work": a wish is no contribution. */
const WISH = new RegExp(
  `\\b${ACTOR} (?:(?:hope|wish|believe|expect|anticipate|envision)\\b|\\p{L}+ future (?:directions|work|research)\\b)`,
  'iu',
)
/** "Our work provides valuable insights." */
const PRAISE = new RegExp(
  `^(?:our|this) ${PAPER} (?:provides|offers|represents|contributes|highlights|paves|opens|underscores)\\b`,
  'iu',
)

/** How much each sign speaks for a sentence, or against it. */
const WEIGHTS = {
  offers: 10,
  examines: 6,
  acts: 3,
  offered: 4,
  isNamed: 5,
  names: 3,
  inThisPaper: 2,
  isNew: 1.5,
  refersBack: -1,
  pointsBack: -0.5,
  isUnnamed: -1.5,
  announces: -4,
  /** For each. */
  unknownNames: -1.5,
  afterthought: -4,
  sequel: -3,
  consequence: -1,
  background: -2.5,
  result: -2,
  link: -8,
  dangles: -6,
  /** For every sentence before it: of two that offer something the first is the main one. */
  place: -0.6,
}

/** The name that a title gives before its colon or is, such as `ClawGUI`; `null` where it has none. */
const nameOf = (title: string): string | null => nameInTitle(title) ?? /^(\S{2,40})$/u.exec(title)?.[1] ?? null

const scoreOf = ({ text }: Sentence, place: number, title: string): number => {
  const name = nameOf(title)
  const offers = OFFERS.test(text)
  const examines = !offers && EXAMINES.test(text)
  const names = name !== null && text.includes(name)
  const at = names ? text.indexOf(name) : -1
  const isNamed =
    names && ((at < 40 && IS_SOMETHING.test(text)) || (at === 0 && ACTS_ITSELF.test(text.slice(name.length))))
  const shown = withoutPointing(withoutOpening(text)).text
  const signs: Record<keyof typeof WEIGHTS, boolean | number> = {
    offers,
    examines,
    acts: !offers && !examines && ACTS.test(text),
    offered: OFFERED.test(text),
    isNamed,
    names,
    inThisPaper: IN_THIS_PAPER.test(text),
    isNew: IS_NEW.test(text),
    refersBack: refersBack(text),
    pointsBack: !refersBack(text) && (pointsBack(shown) || countsBeyond(shown, title)),
    isUnnamed: UNNAMED.test(shown),
    announces: ANNOUNCES.test(text),
    unknownNames: unknownNames(withoutOpening(text), title).length,
    afterthought: AFTERTHOUGHT.test(text),
    sequel: SEQUEL.test(text),
    consequence: !offers && CONSEQUENCE.test(text),
    background: BACKGROUND.test(text),
    result: !offers && RESULT.test(text),
    link: LINK.test(text) || (!offers && !isNamed && AVAILABILITY.test(text)),
    dangles: dangles(withoutOpening(text)),
    place,
  }
  return (Object.keys(WEIGHTS) as (keyof typeof WEIGHTS)[]).reduce(
    (sum, sign) => sum + WEIGHTS[sign] * Number(signs[sign]),
    0,
  )
}

/** Whether a sentence tells of something that only a sentence before it names, such as "We show that this choice …". */
export const refersBack = (text: string): boolean => REFERS_BACK.test(withoutConnective(text))

/**
 * The index of the sentence that says what the paper does, among those of its abstract (at least one). Sentences are
 * scored by their verbs, their subject and their place; one that dangles or only wishes is taken only where all do.
 */
export const contributionAmong = (sentences: readonly Sentence[], title: string): number => {
  const ranked = sentences.map((sentence, at) => ({
    at,
    score: scoreOf(sentence, at, title),
    stands: !dangles(withoutOpening(sentence.text)) && !WISH.test(sentence.text),
  }))
  ranked.sort((a, b) => Number(b.stands) - Number(a.stands) || b.score - a.score || a.at - b.at)
  return ranked[0]?.at ?? 0
}

const FIGURE = /\d(?:[\d.,]*\d)?\s?(?:%|x\b|×|times|points?|pp\b|fold)|\b\d+\.\d+\b/iu
const OUTCOME =
  /\b(?:outperform|surpass|exceed|achiev|improv|reduc|increas|reach|attain|yield|boost|cut|speed|match|rais|gain|degrad|drop|fail)\w*/iu
const SHOWS =
  /\b(?:experiments?|results?|evaluations?|findings|analys[ie]s|ablations?|benchmarks?)\b.{0,60}\b(?:show|demonstrat|reveal|indicat|confirm|suggest|validat)|\bwe (?:find|show|demonstrate|observe)\b/iu

/** Of a sentence the part that says what the paper offers, where that begins after a semicolon only; else all of it. */
export const offeringPart = (text: string): string => {
  const parts = text.split(/(?<=;)\s+/u)
  const at = parts.findIndex((part) => OFFERS.test(part))
  if (at < 1) return text
  const part = withoutOpening(parts.slice(at).join(' '))
  return part.charAt(0).toUpperCase() + part.slice(1)
}

/** A part of an enumeration that begins or goes on in other sentences: "it improves by 27 points; and (4) …", "(1) The first", "3) We". */
const isPartOfList = (text: string): boolean =>
  /\((?:[2-9]|ii+|iv|vi*|[b-h])\)/u.test(text) !== /\([1ia]\)/u.test(text) || /^(?:[2-9]|ii+|iv|[b-h])\)\s/u.test(text)
/** What a source left after the last sentence, such as a keyword: no sentence is so short and without its stop. */
const isRemnant = (text: string): boolean => text.length < 30 && /[\p{L}\p{N}]$/u.test(text)

/**
 * How well a sentence tells what came of it: 0 where it does not or points to what is not shown, and 4 with an outcome and its
 * figure. `known` is what is shown before it, of which `follows` tells that it stands right before, so that "these" are understood.
 */
export const resultScore = (text: string, known: string, follows: boolean): number => {
  if (isAside(text)) return 0
  const shown = withoutPointing(withoutOpening(text)).text
  if (!follows && dangles(shown)) return 0
  const tells = Number(OUTCOME.test(text)) + Number(SHOWS.test(text))
  const points = /\b(?:these|those|this|such)\b/iu.test(text) ? 1.5 : 0
  const isUnclear = pointsBeyond(shown, known) || countsBeyond(shown, known) || SET_OFF.test(shown)
  const unclear = follows ? 0 : isUnclear ? 3.5 : points
  return tells === 0 ? 0 : Math.max(0, tells + 2 * Number(FIGURE.test(text)) - unclear)
}

const FORMULA_SIGN = /[_^{}\\=|⟨⟩∑∇∂]/gu
const MANY_SIGNS = 3

/**
 * Whether a sentence adds nothing to the contribution: it says where code is, what others did, how good it
 * all is or is hoped to be, it only asks, it is a piece of a list, or it is a formula more than a sentence.
 */
export const isAside = (text: string): boolean =>
  LINK.test(text) ||
  AVAILABILITY.test(text) ||
  BACKGROUND.test(text) ||
  PRAISE.test(text) ||
  WISH.test(text) ||
  text.endsWith('?') ||
  isPartOfList(text) ||
  isRemnant(text) ||
  (text.match(FORMULA_SIGN)?.length ?? 0) >= MANY_SIGNS
