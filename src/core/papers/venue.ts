/** Where a paper was accepted or published, as arXiv's records say it: in the authors' comment, or as a journal reference. */

/** What arXiv says beside a title; either may be absent or empty. */
export interface VenueRemarks {
  /** "Accepted at ICML 2026; 12 pages, 5 figures": the authors' own words. */
  comment?: string
  /** "Proceedings of the 43rd International Conference on Machine Learning, PMLR 300, 2026". */
  journalRef?: string
}

/** Meetings by their short names, as they are shown. Of two that begin alike the longer stands first. */
const MEETINGS =
  'NeurIPS|NIPS|ICMLA|ICML|ICLR|CVPR|ICCV|ECCV|WACV|BMVC|ACCV|3DV|AAAI|IJCNLP|IJCAI|AISTATS|UAI|COLT|CoRL|ICRA|IROS|LREC-COLING|LREC|COLING|CoNLL|EMNLP|NAACL|EACL|AACL|ACL|COLM|INTERSPEECH|ICASSP|ASRU|ISMIR|KDD|WWW|SIGIR|CIKM|WSDM|RecSys|ECIR|SIGGRAPH Asia|SIGGRAPH|ACM MM|UIST|CSCW|FAccT|ICSE|ISSTA|OOPSLA|PLDI|POPL|OSDI|SOSP|NSDI|ASPLOS|MLSys|USENIX Security|NDSS|MICCAI|MIDL|ISBI|VLDB|SIGMOD|ICDE|AAMAS|GECCO|CLeaR|ICAPS|CoLLAs|ICPR|ICIP|ICME'
/** Journals whose names are short, or do not tell that they are journals. */
const JOURNALS =
  'TMLR|JMLR|TPAMI|IJCV|TACL|PNAS|eLife|Nature|Science|Cell|Neuron|Neurocomputing|Bioinformatics|Patterns|Transactions on Machine Learning Research|Journal of Machine Learning Research|Transactions of the Association for Computational Linguistics'

const shownNames = (names: string): Map<string, string> =>
  new Map(names.split('|').map((name) => [name.toLowerCase(), name === 'NIPS' ? 'NeurIPS' : name]))
const MEETING_NAMES = shownNames(MEETINGS)
const JOURNAL_NAMES = shownNames(JOURNALS)

/** Nothing is said of a comment with one of these, whatever else stands in it: it is not settled, or not this paper. */
const DENIES =
  /\b(?:under (?:\p{L}+[ -])?review|in review|being reviewed|in submission|submission|submitted|submitting|resubmi\p{L}+|reject\p{L}*|withdr\p{L}+|retract\p{L}*|if accepted|not (?:yet )?accepted|pending|conditional\p{L}*|(?:minor|major) revision|revised for|extended|extend(?:s|ing)|extension|expanded|expands|earlier|early|previous(?:ly)?|prior|preliminary|older|short(?:er)? version|abridged|superse\p{L}+|builds? (?:up)?on|based on|follow-?up|companion|sequel|challenge|competition|shared task|winner|winning|solution|runner|our (?:\p{L}+[ -])?(?:\d{4} )?(?:\p{L}+ )?(?:paper|work)|template|style file|format of|proposal|tutorial|thesis|plan(?:ned|s)?|aim(?:ed|s)?|target(?:ed|s)?|intended|hope\p{L}*|invited to|dataset (?:of|from)|response to|reply to|comment(?:s|ary)? on|rebuttal|desk)\b/iu
const WORKSHOP = /\bworkshops?\b|@/iu
/** Parts of a meeting that are not its papers. */
const LESSER =
  /\b(?:demos?|demonstrations?|student|doctoral|consortium|tiny papers?|blog ?posts?|late[- ]breaking|abstracts?|industry|position|symposium|non-?archival|special session|satellite)\b/iu

/** What may stand between a verb and its venue: "as a spotlight (top 5%) at", "in the proceedings of the 43rd". */
const AS =
  '(?: (?:as|for)(?: an?)? (?:publication|inclusion|presentation|(?:regular |full |long |short |main |conference |research )*(?:paper|article)s?|orals?|spotlights?|posters?|highlights?)(?: (?:paper|presentation))?(?: \\([^)]{1,30}\\))?)*'
const THE =
  '(?: (?:the|an?|proc|proceedings|main (?:conference|track)|journal|of|in|at|ieee/cvf|ieee/rsj|ieee|acm|annual meeting|conference track|\\d{1,2}(?:st|nd|rd|th)|\\d{4}))*'
const ACCEPTED = `accepted${AS}(?: (?:at|to|by|in|for))?|to appear${AS}(?: (?:in|at))?|will appear (?:in|at)|appearing (?:in|at)|camera[- ]ready(?: version)?(?: (?:for|of|at|in))?`
const PUBLISHED = `published${AS} (?:at|by|in)|appeared (?:in|at)|appears (?:in|at)|presented (?:in|at)`

/** A venue that is known, with the year where it is named: `ICML 2026`, `CVPR26`, `ICML'26`. */
const KNOWN = `(?<![\\p{L}\\d])(${MEETINGS}|${JOURNALS})(?:[ ,:(-]*(20\\d{2})| ?['’]?(\\d{2})(?![\\d/])|(?![\\p{L}\\d]|['’]s|-style))`
const KNOWN_ANYWHERE = new RegExp(KNOWN, 'iu')
const BY_VERB = new RegExp(
  `\\b(?:(${PUBLISHED})|${ACCEPTED})${THE}(?: findings(?: of)?(?: the)?:?)?(?: acl)? ${KNOWN}`,
  'iu',
)
/** A comment that is nothing but a venue with its year, and what kind of paper it is there: "CVPR 2026 (Oral)". */
const BARE = new RegExp(
  `^(?:(?:in|at|the|proc|proceedings|of|findings) )*${KNOWN}(?:[ ,:(-]*(?:main|conference|track|papers?|camera[- ]ready|version|accepted|orals?|spotlight|poster|highlight|long|short|best paper(?: award)?|presentation|findings|d&b|datasets and benchmarks|\\d{1,2}(?:\\.\\d)?%|top))*[ )]*$`,
  'iu',
)
/** A journal of any name after a verb: capitalised words with small ones between, one of which tells that it is a journal. */
const JOURNAL_NAME =
  /^((?:IEEE|ACM|[A-Z][\p{L}-]+)(?:(?: (?:of|on|in|and|for|the|&))* (?:IEEE|ACM|[A-Z][\p{L}-]+)){1,8})(?=$|[ ,(:]*(?:$|vol|\d))/u
const TELLS_JOURNAL =
  /\b(?:Journal|Transactions|Letters|Reviews?|Annals|Nature|Science|Communications|Reports|Magazine|Computation|Intelligence|Medicine|Physics|Biology|Research|Systems|Networks|Recognition|Analysis)\b/
const VERB = new RegExp(`(?:\\b(${PUBLISHED})|\\b(?:${ACCEPTED}))(?: (?:the|journal))*:? `, 'iu')

interface Venue {
  name: string
  /** Of a meeting; `null` where it is not named, and of journals. */
  year: number | null
  isJournal: boolean
  isPublished: boolean
}

const inWords = ({ name, year, isJournal, isPublished }: Venue): string =>
  isJournal
    ? `${isPublished ? 'published in' : 'accepted by'} ${name}`
    : `${isPublished ? 'published' : 'accepted'} at ${name}${year === null ? '' : ` ${year}`}`

const clausesOf = (text: string): string[] =>
  text
    .replace(/\bproc\. /giu, 'Proc ')
    .split(/(?<=[.!?])\s+|\s*[;|\n]\s*/u)
    .map((clause) => clause.replace(/[.!?\s*]+$/u, '').replace(/^[\s[*"“]+/u, ''))
    .filter((clause) => clause !== '')

const knownVenue = (name: string, long: string | undefined, short: string | undefined, isPublished: boolean): Venue => {
  const meeting = MEETING_NAMES.get(name.toLowerCase())
  if (meeting === undefined)
    return { name: JOURNAL_NAMES.get(name.toLowerCase()) ?? name, year: null, isJournal: true, isPublished }
  const year = long !== undefined ? Number(long) : short !== undefined ? 2000 + Number(short) : null
  return { name: meeting, year, isJournal: false, isPublished }
}

/** The venue of a clause as it stands there: at a workshop of it, or among its findings. */
const partOfVenue = (venue: Venue, clause: string): Venue | null => {
  if (WORKSHOP.test(clause))
    return venue.isJournal || venue.year === null
      ? null
      : { ...venue, name: `a workshop of ${venue.name}`, isPublished: false }
  return /\bfindings\b/iu.test(clause) ? { ...venue, name: `Findings of ${venue.name}` } : venue
}

const readClause = (clause: string): Venue | null => {
  if (LESSER.test(clause)) return null
  const said = BY_VERB.exec(clause)
  if (said !== null) {
    const [whole, published, name = '', long, short] = said
    const venue = knownVenue(name, long, short, published !== undefined)
    // "Nature Communications" and "Science Robotics" are journals of their own.
    const goesOn = venue.year === null && /^ \p{Lu}\p{Ll}/u.test(clause.slice(said.index + whole.length))
    return goesOn ? readJournal(clause) : partOfVenue(venue, clause)
  }
  const [, name = '', long, short] = BARE.exec(clause) ?? []
  const venue = knownVenue(name, long, short, false)
  return venue.year === null ? readJournal(clause) : partOfVenue(venue, clause)
}

const journalOf = (text: string, isPublished: boolean): Venue | null => {
  const [, name] = JOURNAL_NAME.exec(text) ?? []
  // "ACL Rolling Review" is something about a meeting.
  const [, known = ''] = KNOWN_ANYWHERE.exec(name ?? '') ?? []
  return name === undefined || name.length > 90 || !TELLS_JOURNAL.test(name) || MEETING_NAMES.has(known.toLowerCase())
    ? null
    : { name, year: null, isJournal: true, isPublished }
}

const readJournal = (clause: string): Venue | null => {
  const verb = WORKSHOP.test(clause) ? null : VERB.exec(clause)
  return verb === null ? null : journalOf(clause.slice(verb.index + verb[0].length), verb[1] !== undefined)
}

const readComment = (comment: string): Venue | null => {
  if (DENIES.test(comment)) return null
  const found = clausesOf(comment).flatMap((clause) => readClause(clause) ?? [])
  // Two venues may be that of the paper and that of something else.
  return new Set(found.map(inWords)).size === 1 ? (found[0] ?? null) : null
}

const readReference = (reference: string): Venue | null => {
  if (/\b(?:arxiv|preprint|submitted|in review|under review|thesis)\b/iu.test(reference)) return null
  if (WORKSHOP.test(reference) || LESSER.test(reference)) return null
  const known = KNOWN_ANYWHERE.exec(reference)
  if (known !== null) {
    const [whole, name = '', long, short] = known
    const venue = knownVenue(name, long ?? /\b20\d{2}\b/.exec(reference)?.[0], short, true)
    if (!/^ \p{Lu}\p{Ll}/u.test(reference.slice(known.index + whole.length)))
      return venue.isJournal || venue.year !== null ? partOfVenue(venue, reference) : null
  }
  return /^Proceedings\b/.test(reference) ? null : journalOf(reference, true)
}

/**
 * `accepted at ICML 2026`, `accepted by Nature Communications`, `published in TMLR`: where a paper was accepted or published, in words that
 * follow "it was"; `null` where its records do not say so beyond doubt. Rather nothing than what is not so: a submission, a
 * review, another version, a meeting before `year`, the paper's first, and two venues in one comment say nothing.
 */
export const readVenue = ({ comment = '', journalRef = '' }: VenueRemarks, year: number): string | null => {
  const venue = readReference(journalRef.trim()) ?? readComment(comment.replace(/\s+/g, ' ').trim())
  const isOfThisPaper = venue?.year == null || (venue.year >= year && venue.year <= year + 3)
  return venue !== null && isOfThisPaper ? inWords(venue) : null
}
