/** Whether arXiv says of a paper that it is withdrawn: in its comment, or in place of its abstract. */

/** What arXiv says beside a title; either may be absent or empty. */
export interface PaperRemarks {
  /** "12 pages, 5 figures": the authors' own words, or those of arXiv's administrators. */
  comment?: string
  abstract?: string
}

const NOUN =
  '(?:arxiv |technical |research |survey |position |review |short |full )?(?:paper|submission|article|manuscript|preprint|e-?print|work|document|version|report|note|letter|study|survey|review|draft|posting)'
/** What is meant is the paper itself: not "a previous version", nor "the data of this paper". */
const THIS =
  '(?<!\\b(?:to|of|in|for|from|with|by|on|behind|than) )(?:this|the present|our|my)(?: (?:current|entire|whole))?'
const ADVERB =
  '(?:(?:temporarily|voluntarily|permanently|officially|formally|hereby|now|since|later|therefore|thus|regretfully|unfortunately|currently|being) )*'
const GONE = '(?:withdrawn|retracted|taken down|removed (?=by arxiv|by the (?:arxiv|admin)|from arxiv))'
/** Withdrawn from a conference or a queue it may well be, and still stand at arXiv. */
const ELSEWHERE =
  '(?!(?: by [^,;.]{1,40}?| voluntarily)? from (?!(?:the )?(?:arxiv|archive|repository|server|public|circulation|distribution)\\b))'
const IS = '(?:has(?: now)? been|have been|had been|(?:had|has|needs|needed) to be|is being|is|was|be)'
/** "This paper, which had an error, has been …", "This paper contains an error and has been …". */
const ASIDE =
  '(?:,[^.;]{1,80},| \\([^)]{1,60}\\)| (?:contains?|contained|has|had|includes?|included|is|was) [^.;]{1,80}? and(?: so| therefore| thus| hence)?)?'

const PASSIVE = new RegExp(
  `(?:\\b${THIS}|(?:^|, (?:and |so |hence |thus |therefore )?)the(?: (?:current|entire|whole))?) ${NOUN}${ASIDE} ${IS} ${ADVERB}(?:${GONE}|removed)\\b${ELSEWHERE}`,
  'iu',
)
/** "Withdrawn due to …", "Paper withdrawn"; but neither "withdrawn submission" nor "withdrawn drugs". */
const BARE = new RegExp(
  `^(?:(?:this |the )?${NOUN} )?(?:${IS} )?${ADVERB}${GONE}\\b${ELSEWHERE}` +
    '(?=$|\\s*[)\\],:–—-]| \\((?:see|due|by|error|because)\\b|,? (?:due|by|from|because|for|as|at the|at (?:author|our|my)|pending|on|in|since|owing|per|until|after|following|and|see|while|to|with|upon|under|temporarily)\\b)',
  'iu',
)
/** The same at the end of a clause: "error in Lemma 3, withdrawn". */
const LAST = new RegExp(
  `(?:,|\\band|\\bhence|\\btherefore|\\bthus|\\bso) (?:(?:${IS}|${NOUN}) )?${ADVERB}${GONE}$`,
  'iu',
)
const VENUE =
  /\b(?:submitted|submission|accepted|rejected|review|resubmitted)\b|\b(?:conference|workshop|journal|openreview|iclr|icml|neurips|nips|aaai|acl|emnlp|naacl|cvpr|iccv|eccv|ijcai|kdd|tmlr|jmlr|colm|corl|icra|iros|arr)\b/iu

const WHO = '(?:we|i|(?:the |both |all )?(?:co-?)?authors?|the submitter)(?: of (?:this|the) \\p{L}+)?'
const WISH =
  '(?:(?:have|has|had|are|am|is|hereby|now|would|like|wish|wishes|want|wants|need|needs|must|decided|choose|chose|chosen|request|requests|requested|asked?|to|therefore|thus|regretfully|voluntarily|be|hence|do|will|has decided) )*'
const ACTIVE = new RegExp(
  `(?:\\b${WHO} ${WISH}|\\b${WHO} [^,;.]{1,40}? to |(?:^|\\band |, )${WISH})` +
    '(?:withdraw|withdraws|withdrawn|withdrew|withdrawing|retract|retracts|retracted|retracting) ' +
    `(?:it\\b|(?:this|the|our|my)(?: (?:current|entire|whole|present))? ${NOUN}\\b)(?!['’]s| of (?!(?:the|this|our) ${NOUN}))${ELSEWHERE}`,
  'iu',
)
const REQUEST = new RegExp(
  `^(?:notice of )?(?:withdrawal|retraction)(?: notice)?(?: by the authors?)?(?:$|:)|\\b(?:withdrawal|retraction|removal) of (?:this|the) ${NOUN}\\b(?!['’]s)|\\brequest(?:s|ed)?(?: the| its)? withdrawal$`,
  'iu',
)
const ADMIN = new RegExp(
  `^(?:(?:this|the) )?(?:${NOUN} )?(?:${IS} )?(?:removed|withdrawn|retracted) by (?:the )?arxiv\\b`,
  'iu',
)
/** Words that turn the meaning round: "has not been withdrawn", "no longer withdrawn", "reinstated". */
const DENIES =
  /(?:\b(?:not|never|without|no longer|no plans? to|no intention to)|n['’]t)(?: (?:yet|been|be|being|to|going to))* (?:withdr|retract)|\breinstat|\bun-?withdrawn\b/iu

/** "arXiv admin note:", "Note:". */
const LABEL =
  /^[([*\s]*(?:comments?|note|notice|remark|update|edit|(?:arxiv )?admin(?:istrator)? (?:note|comment)|arxiv admin note)\s*[:–—-]\s*/iu
/** "v2:" and "Version 2 -" say of which version a clause speaks. */
const OF_VERSION = /^[([\s]*(?:in )?v(?:er(?:sion|\.)?)? ?(\d{1,3})\s*[:,–—-]\s*/iu

/** Hardly any text holds one of these. */
const MENTIONS = /withdr|retract|remov|taken down/iu

const isWithdrawn = (clause: string): boolean => {
  if (DENIES.test(clause)) return false
  if (PASSIVE.test(clause) || BARE.test(clause) || ACTIVE.test(clause) || REQUEST.test(clause) || ADMIN.test(clause))
    return true
  return LAST.test(clause) && !VENUE.test(clause)
}

const clausesOf = (text: string): string[] =>
  text
    .split(/(?<=[.!?])\s+|\s*[;|\n]\s*|\s+(?:but|--+)\s+/u)
    .map((clause) => clause.replace(/[.!?\s*\])]+$/u, '').replace(/^[\s[(*"“]+/u, ''))
    .filter((clause) => clause !== '')

/** Whether a comment says so. Where its clauses speak of several versions, the newest of these counts. */
const commentTells = (comment: string): boolean => {
  const clauses = clausesOf(comment).map((clause) => {
    const version = OF_VERSION.exec(clause)
    const rest = clause.slice(version?.[0].length ?? 0).replace(LABEL, '')
    return { rest, version: version === null ? null : Number(version[1]) }
  })
  const newest = Math.max(...clauses.map(({ version }) => version ?? 0), 0)
  return clauses.some(({ rest, version }) => (version === null || version === newest) && isWithdrawn(rest))
}

/** Whether an abstract's place is taken by a notice, or ends with one: drugs and votes are withdrawn in others. */
const abstractTells = (abstract: string): boolean => {
  const clauses = clausesOf(abstract)
  const [first = '', last = ''] = [clauses[0], clauses.at(-1)]
  return isWithdrawn(first.replace(LABEL, '')) || (last !== first && PASSIVE.test(last) && !DENIES.test(last))
}

/**
 * Whether a paper is withdrawn. arXiv leaves the abstract of a withdrawn paper as it was and says so in the comment; earlier
 * the notice stood in place of the abstract. A claim, an earlier version or a submission elsewhere that was withdrawn is
 * none. https://info.arxiv.org/help/withdraw.html
 */
export const tellsWithdrawal = ({ comment = '', abstract = '' }: PaperRemarks): boolean =>
  (MENTIONS.test(comment) && commentTells(comment.trim())) ||
  (MENTIONS.test(abstract) && abstractTells(abstract.trim()))
