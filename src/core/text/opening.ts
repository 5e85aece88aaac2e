/** How a sentence opens when it is shown without those before it: what refers back is dropped, or found to dangle. */

/** What a paper calls itself. */
export const PAPER =
  '(?:(?:technical|position|short|survey|white|research|systematic|comprehensive) )?' +
  '(?:paper|work|report|study|article|letter|essay|survey|review|thesis|tutorial|manuscript|chapter|preprint|overview)'

/** Connectives that nothing is lost with where a comma follows. */
const CONNECTIVES = [
  'however|nevertheless|nonetheless|yet|still|but|instead|rather|alternatively|conversely|unfortunately',
  '(?:in|by) contrast|on the other hand|at the same time|meanwhile|simultaneously',
  'moreover|furthermore|additionally|in addition|also|besides|and|similarly|likewise|again|notably|importantly|crucially',
  'interestingly|surprisingly|remarkably|critically|indeed|in fact|specifically|in particular|particularly',
  'concretely|more (?:specifically|concretely|precisely)|for example|for instance|in (?:other words|short|summary|essence)',
  'thus|hence|therefore|consequently|accordingly|as such|so|as an? (?:result|consequence|remedy|solution|response)',
  'in (?:response|turn|doing so)|in (?:light of this|this (?:light|context|regard|sense|direction|way))',
  'to (?:this|that|these) ends?|towards? (?:this|that) (?:end|goal)|for (?:this|that) purpose|with this in mind',
  'first(?:ly)?|second(?:ly)?|third(?:ly)?|next|then|finally|lastly|overall|in conclusion|(?:taken )?together',
].join('|')
const CONNECTIVE = new RegExp(`^(?:${CONNECTIVES}),\\s+`, 'iu')
/** "But we …", "To this end we …". */
const BARE_CONNECTIVE =
  /^(?:but|and|so|thus|hence|therefore|yet|then|instead|also|to (?:this|that) end)\s+(?=(?:we|i|our|this paper)\b)/iu
/** The heading of a part of a structured abstract. */
const HEADING =
  /^(?:(?:background|introduction|motivation|context|objectives?|aims?|purpose|goals?|(?:materials and )?methods?|methodology|approach|design|results?|findings|conclusions?|significance|abstract|tl;?dr|summary|contributions?)\s*[:—]\s*)+/iu
/** "To address these limitations, we …", "Building on this insight, we …". */
const CLAUSE = new RegExp(
  '^(?:to|towards?|based|building|built|motivated|driven|inspired|informed|encouraged|prompted|guided|grounded|armed|in|as|' +
    'with|given|following|leveraging|using|observing|recogni[sz]ing|drawing|starting|contrary|addressing|from|by|under|beyond|on|because|since)' +
    `\\b[^.;:]{0,150}?,\\s+(?=(?:we|i|the authors|this ${PAPER}|our|here,? we)\\b)`,
  'iu',
)
const REFERS_BACK =
  /\b(?:this|these|those|such|both|aforementioned)\b|\bthe (?:above|latter|former)\b|\bdo(?:ing)? so\b|\b(?:it|them|that),|^\p{L}+ (?:it|them|its|their)\b/iu
const NAMES_PAPER = new RegExp(`\\b(?:this|these) ${PAPER}s?\\b`, 'iu')

/** A beginning that nobody can place who has not read what stood before. */
const DANGLING =
  /^(?:it|its|they|their|them|this|these|those|such|he|she|his|her|doing so|the (?:latter|former|above|same|resulting|aforementioned))\b/iu
const PAPER_FIRST = new RegExp(`^(?:this|these) ${PAPER}s?\\b`, 'iu')
const CONNECTED =
  /^(?:however|but|and|thus|hence|therefore|nevertheless|nonetheless|moreover|furthermore|additionally|consequently)\b|^(?:yet|then|so|also|instead|besides|still),? \p{Ll}/u

/** What is left after an opening says something of its own. */
const LEAST_LEFT = 20

const openingOf = (text: string): string => {
  const clause = CLAUSE.exec(text)?.[0] ?? ''
  return (
    HEADING.exec(text)?.[0] ??
    CONNECTIVE.exec(text)?.[0] ??
    BARE_CONNECTIVE.exec(text)?.[0] ??
    (REFERS_BACK.test(clause) && !NAMES_PAPER.test(clause) ? clause : '')
  )
}

/**
 * A sentence without an opening that refers to what stood before it: `However, we find …`, `To address these issues, we
 * present …` and `Methods: We train …` begin with `We`. The rest is the sentence's own words; a second time changes nothing.
 */
export const withoutOpening = (sentence: string): string => {
  let rest = sentence
  for (let opening = openingOf(rest); opening !== ''; opening = openingOf(rest)) {
    const left = rest.slice(opening.length)
    if (left.length < LEAST_LEFT) break
    rest = left.charAt(0).toUpperCase() + left.slice(1)
  }
  return rest
}

/** Whether a sentence begins with a word that means nothing by itself, such as "It", "This approach" or "However". */
export const dangles = (sentence: string): boolean =>
  (DANGLING.test(sentence) && !PAPER_FIRST.test(sentence)) || CONNECTED.test(sentence)
