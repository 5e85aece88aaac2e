/** How a sentence opens when it is shown without those before it: what only connects or points back is dropped, and what dangles is found. */

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
  'in (?:turn|doing so)|following (?:this|that)|in (?:light of this|this (?:light|context|regard|sense|direction|way))',
  'in the first (?:stage|step|phase)|first(?:ly)?|second(?:ly)?|third(?:ly)?|next|then|finally|lastly|overall|in conclusion|(?:taken )?together',
].join('|')
const CONNECTIVE = new RegExp(`^(?:${CONNECTIVES}),\\s+`, 'iu')
/** "But we …", "Thus our …", "Yet progress …". */
const BARE_CONNECTIVE =
  /^(?:but|and|so|thus|hence|therefore|yet|then|instead|also)\s+(?=(?:we|i|our|this paper)\b)|^(?:but|yet)\s+(?!another\b)/iu
/** What points back in a clause, with at most three words that say no more than "these critical limitations". */
const POINTED = '(?:this|these|that|those|such|both|the above)(?: [\\p{L}-]+){0,3}'
/** A clause that only points back: "To address these critical limitations, …", "Motivated by this, …". */
const POINTER = new RegExp(
  `^(?:to (?:\\p{L}+ly )?\\p{L}+(?: (?:and|or) \\p{L}+)? ${POINTED}|to (?:this|that|these) (?:end|aim|goal|purpose)s?|to do so|to \\p{L}+ it|towards? ${POINTED}|` +
    `for (?:this|that|these) (?:purpose|reason|goal|end)s?|with (?:this|these)(?: [\\p{L}-]+)? in mind|in response(?: to ${POINTED})?|` +
    `(?:based|building|built|drawing|building up) (?:up)?on ${POINTED}|` +
    `(?:driven|motivated|inspired|guided|informed|prompted|encouraged|enabled) by ${POINTED}|(?:rooted|grounded) in|(?:starting) from ${POINTED}|` +
    `(?:combining|leveraging|using|exploiting|following|given|with|through|via|by|under|from) ${POINTED}|` +
    'to \\p{L}+ such an? [^,]{0,90}|' +
    'to (?:\\p{L}+ly )?\\p{L}+ (?:why|(?:the|its|their) (?:(?:root|underlying|main|core|key|central|true) )?(?:causes?|reasons?|problems?|gaps?|challenges?|issues?|bottlenecks?))),\\s+(?!and\\b|or\\b|but\\b)|' +
    '^to (?:this|that) end\\s+(?=(?:we|i|our|this paper)\\b)',
  'iu',
)
/** A clause that names only what the authors called something before: "Building on FGGM, …", "Leveraging HiTSR, …". */
const COINED =
  /^(?:[Bb]uilding (?:up)?on|[Ll]everaging|[Bb]ased on|[Uu]sing|[Ww]ith|[Gg]iven) (?=\S*\p{Lu}\S*\p{Lu})[\p{L}-]+,\s+/u
/** Nouns that stand for something told before, by their stems. */
export const SHELLS =
  '(gap|issue|challenge|limitation|problem|shift|phenomen|view|abilit|capabilit|formalism|assumption|question|insight|observation|finding|' +
  'task|setting|goal|purpose|need|demand|trade-off|tension|dilemma|difficult|shortcoming|drawback|deficienc|constraint|bottleneck|hypothes|principle|' +
  'idea|direction|trend|perspective|difference|condition|scenario|cycle|field|area|behavio|weakness|vulnerabilit|discrepanc|inconsistenc|mismatch|' +
  'disparit|void|obstacle|barrier|requirement|concern|propert|process)'
/** A clause that says more, but points with such a noun: "As an initial step to address this gap, …". */
const SHELL_POINTER = new RegExp(
  '^(?:to|towards?|as|motivated|inspired|guided|driven|building|based|drawing|given|with|by|for|in|following|considering|recogni[sz]ing|under)\\b[^,;:.]{0,90}' +
    `\\b(?:this|these|those|such(?! as))(?: [\\p{L}-]+){0,3}? ${SHELLS}\\p{L}*[^,;:.]{0,60},\\s+(?=(?:we|i|our|this ${PAPER}|here)\\b)`,
  'iu',
)
/** What the authors did before, of which nothing is shown: "We then build …". */
const SEQUEL = /^(we|i) (?:then|instead|next|also|additionally|finally|thus|hence|therefore) (?=\p{L})/iu
/** By "-ing", the verbs for what is offered. */
const OFFERINGS = new Map(
  'propose introduce present develop design build release create construct formulate contribute'
    .split(' ')
    .map((verb) => [`${verb.replace(/e$/, '')}ing`, verb]),
)
const SUBJECT = `(?:(?:[Ii]n (?:this|the present) ${PAPER}|[Hh]ere),? )?([Ww]e|I|[Tt]his ${PAPER})`
const POINTED_NOUN = '(?:this|these|those|such(?: an?)?|the above)(?: [\\p{L}-]+){1,4}?'
/** "We address this gap by introducing X". */
const BY_OFFERING = new RegExp(
  `^${SUBJECT} (?:[\\p{L}]+ ){1,5}?${POINTED_NOUN} (?:by|through) (${[...OFFERINGS.keys()].join('|')}) `,
  'iu',
)
/** "We bridge this gap with X, the first …". */
const WITH_NAME = new RegExp(
  `^${SUBJECT} (?:\\p{L}+ly )?(?:address|bridge|close|tackle|fill|overcome|resolve|solve|meet|organi[sz]e|formali[sz]e|operationali[sz]e|instantiate|reali[sz]e|capture)(?:e?s)? ${POINTED_NOUN} (?:with|via|through|using) (?=\\S*\\p{Lu})`,
  'u',
)
/** "We address this gap by folding and propose X": the first of two things that are done. */
const FIRST_OF_TWO = new RegExp(
  `^${SUBJECT} (?:\\p{L}+ ){1,4}?${POINTED_NOUN}(?: (?:by|through|with|via) [^,;]{1,90}?)?,? and (?:then |instead |further )?` +
    `(?=(?:${[...OFFERINGS.values(), 'focus', 'show', 'find', 'study', 'provide', 'argue'].join('|')})(?:e?s)?\\b)`,
  'iu',
)

/** A sentence that offers something for what is pointed to, without the pointing: it presents it, and an ellipsis stands for what else was done. */
const withoutPointedObject = (sentence: string): string =>
  sentence
    .replace(BY_OFFERING, (_, subject: string, verb: string) => {
      const offers = OFFERINGS.get(verb.toLowerCase()) ?? verb
      return `${subject} ${/^(?:we|i)$/iu.test(subject) ? offers : `${offers}s`} `
    })
    .replace(WITH_NAME, (_, subject: string) => `${subject} ${/^(?:we|i)$/iu.test(subject) ? 'present' : 'presents'} `)
    .replace(FIRST_OF_TWO, (_, subject: string) => `${subject} … `)
    .replace(SEQUEL, '$1 ')

/** Whether a sentence offers something for what it only points to: "We bridge this gap with X, the first …". */
export const presentsByName = (sentence: string): boolean => WITH_NAME.test(withoutConnective(sentence))

/** The heading of a part of a structured abstract. */
const HEADING =
  /^(?:(?:background|introduction|motivation|context|objectives?|aims?|purpose|goals?|(?:materials and )?methods?|methodology|approach|design|results?|findings|conclusions?|significance|abstract|tl;?dr|summary|contributions?)\s*[:—]\s*)+/iu
/** A beginning that nobody can place who has not read what stood before. */
const DANGLING =
  /^(?:it|its|they|their|them|this|these|those|such|he|she|his|her|doing so|the (?:latter|former|above|same|resulting|aforementioned))\b/iu
const PAPER_FIRST = new RegExp(`^(?:this|these) ${PAPER}s?\\b`, 'iu')
const CONNECTED =
  /^(?:however|but|and|thus|hence|therefore|nevertheless|nonetheless|moreover|furthermore|additionally|consequently)\b|^(?:yet|then|so|also|instead|besides|still)\b,? \p{L}/iu

/** What is left after an opening says something of its own. */
const LEAST_LEFT = 16

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const openingOf = (text: string): string =>
  [HEADING, CONNECTIVE, BARE_CONNECTIVE, POINTER, SHELL_POINTER, COINED]
    .map((kind) => kind.exec(text)?.[0])
    .find(Boolean) ?? ''

/**
 * A sentence without what only connects it to what stood before: `However, we find …`, `To address these issues, we present …`
 * and `Methods: We train …` begin with `We`. A clause that says something of its own stays, such as "To study whether these
 * models can count, we …". The rest is the sentence's own words; a second time changes nothing.
 */
export const withoutConnective = (sentence: string): string => {
  let rest = sentence
  for (let opening = openingOf(rest); opening !== ''; opening = openingOf(rest)) {
    const left = rest.slice(opening.length)
    if (left.length < LEAST_LEFT) break
    rest = capitalised(left)
  }
  return rest
}

/**
 * As `withoutConnective`, and what is offered for something told before stands without it: `We address this gap by introducing
 * X` is `We introduce X`, and `We then build X` is `We build X`.
 */
export const withoutOpening = (sentence: string): string => {
  const rest = withoutConnective(sentence)
  const named = withoutPointedObject(rest)
  return named === rest ? rest : capitalised(named)
}

/** Whether a sentence begins with a word that means nothing by itself, such as "It", "This approach" or "However". */
export const dangles = (sentence: string): boolean =>
  (DANGLING.test(sentence) && !PAPER_FIRST.test(sentence)) || CONNECTED.test(sentence)
