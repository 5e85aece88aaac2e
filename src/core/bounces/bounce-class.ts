/**
 * What a refusal means for the person written to: whether the address is gone, the trouble will pass, or we are to blame.
 *
 * Two witnesses are heard. An enhanced code (RFC 3463, RFC 5248) that says something definite is believed, and the words
 * beside it decide where the code is one of the many that say nothing (`5.0.0` is the commonest there is). Words go
 * against a definite code in one case: servers that block a sender like to answer `5.1.1`, and a person must not be
 * taken off the list because somebody dislikes our address or because their mailbox is full.
 */

/** `unknown`: neither a code nor words that are understood. */
export type BounceClass = 'hard' | 'soft' | 'ours' | 'unknown'

export interface Refusal {
  class: BounceClass
  /** The code that counted, enhanced where there is one: `5.1.1`, or `550`. */
  code: string | null
}

/** One way of saying something. `overrules`: even beside a code that says the address is gone. */
interface Saying {
  class: 'hard' | 'soft' | 'ours'
  overrules: boolean
  means: string
  words: RegExp
}

/** What a mailbox, its owner or a place to send to is called. */
const WHO =
  '(?:users?(?: ?id| ?name)?|userid|recipients?|mail ?box(?:es)?|accounts?|addressee|address(?:es)?|alias|customer|subscriber|' +
  'inbox|member|person|local part|destination|login|contact|destinataire|destinatario|utilisateur|usuario|empf(?:ä|ae)nger)'
const WHERE = '(?:hosts?(?: ?name)?|domains?(?: ?name)?|mx|mail server|name server)'
const GONE =
  "(?:unknown|not found|not known|not exist(?:s|ing)?|non-?exist[ea]nt|does ?n[o']?t exist|do not exist|cannot be found|" +
  "could(?: not|n't) be found|can't be found|wasn't found|(?:is )?not (?:a )?(?:valid|recogni[sz]ed|listed|registered|active|here|on this|our)|" +
  'no longer (?:exists?|valid|available|on|active|here|in use|works?|with|accept|employed)|invalid|undefined|inconnue?|inexistente?|' +
  'unbekannt|disabled|deactivated|inactive|suspended|closed|terminated|discontinued|cancell?ed|deleted|removed|retired|expired|' +
  'frozen|locked|blocked|bloque|abandoned|has moved|moved to|has left|unavailable|obsolete|possibly incorrect)'

/** In order: the first that is said, counts. */
const SAYINGS: readonly Saying[] = [
  {
    class: 'soft',
    overrules: true,
    means: 'the reader gets too much mail just now',
    words:
      /receiving (?:e?-?mail|messages) (?:at a rate|too quickly)|mailbox is (?:busy|in use)|recipient (?:rate|traffic)/,
  },
  {
    class: 'ours',
    overrules: true,
    means: 'we send too much, or too fast',
    words:
      /(?:rate|frequency|connection|hourly|daily|sending|message|relay) (?:is )?(?:limit|quota|threshold|restriction)|frequency limited|rate ?limit|too many (?:recipients|connections?|messages|e-?mails|concurrent|sessions|errors|invalid recipients)|sent too (?:many|much)|too (?:fast|much mail)|throttl|exceeded (?:the |your )?(?:maximum|max|daily|hourly) (?:number|limit|rate)|daily relay|unexpected volume|slow down/,
  },
  {
    class: 'soft',
    overrules: true,
    means: 'the mailbox is full',
    words:
      /(?:mailbox|inbox|account|mail ?folder|maildir|mail ?drop|user|recipient)[^.]{0,30}\b(?:is |was |has been )?(?:full|over ?quota|exceed)|(?:over|exceed\w*|out of|beyond|above|no|insufficient|not enough|lack of)[^.]{0,30}\b(?:quota|storage|disk|space|mailbox size)|quota[^.]{0,20}(?:exceed|full|violat|reached)|(?:exceed|too (?:much|many))[^.]{0,40}\b(?:mailbox|storage|local limit|inbox)|mailbox size limit|too (?:much|many) (?:mail|data|messages) (?:stored|in)|boîte pleine|bo[iî]te (?:aux lettres )?(?:est )?pleine|postfach (?:ist )?voll|メールボックスが一杯|容量/,
  },
  {
    class: 'ours',
    overrules: true,
    means: 'the message is too large',
    words:
      /(?:message|mail|e-?mail|content|data|attachments?|file)\b[^.]{0,40}(?:too (?:big|large)|size (?:exceeds|limit)|length exceeds|exceeds? (?:the )?(?:maximum|fixed|max|size|administrative|limit))|message (?:is )?too long|(?:maximum|max|recip)\.? ?(?:message )?size ?(?:limit|allowed|exceeded)?|size limit|exceed\w* (?:the )?(?:maximum|max)\w* (?:message |mail )?size/,
  },
  {
    class: 'ours',
    overrules: true,
    means: 'our name or address is not liked',
    words:
      /\b(?:spamhaus|sorbs|spamcop|barracuda|dnsbl|rbls?|rhsbl|uribl|surbl|cloudmark|senderbase|uceprotect|invaluement|proofpoint)|(?:black|block|deny|white|gr[ae]y)[- ]?list|\bblocked (?:by|for|using|due|because|from|at|-|see|ip|address)|block(?:ed|ing) (?:ip|host|your|mail|address)|(?:ip|host|server|client|network|message|mail|e-?mail|sender)\b[^.]{0,40}\b(?:blocked|banned|blacklisted|forbidden)|^[\s\d.-]*blocked\b|reputation|poor|blocked for abuse|\babuse\b|too many (?:complaints|spam)|user complaints|bad (?:host|ip)|adresse ip source|open (?:relay|proxy)|dynamic ip|dial-?up|client (?:host|ip)[^.]{0,40}(?:rejected|denied|blocked)|host network not allowed|unwanted (?:mail|messages)/,
  },
  {
    class: 'ours',
    overrules: true,
    means: 'the message is taken for spam, or carries what is not wanted',
    words:
      /\bspam|unsolicited|\bube\b|\buce\b|\bjunk\b|bulk e?-?mail|phish|virus|malware|infected|trojan|suspicious|prohibited|(?:message|mail|content|attachment|header|body)s?\b[^.]{0,30}\b(?:was |were |is |are |has been )?(?:rejected|refused|filtered|not (?:accepted|allowed|permitted)|blocked|denied|not rfc|malformed)|content (?:filter|reject|restrict|presents)|policy|policies|not rfc ?\d* ?compliant|rfc ?(?:5322|2822|822) (?:compliant|violation)|duplicate header|multiple (?:subject|from|to|addresses)|header error|(?:bad|missing|invalid) (?:header|message-id|date|from)|potential security|identities failed|not verified|quarantine|cannot send e-?mail to yourself/,
  },
  {
    class: 'ours',
    overrules: true,
    means: 'our domain does not vouch for us',
    words:
      /\bspf\b|\bdkim\b|\bdmarc\b|unauthenticated|authentication (?:information|results|required|failed|level|check)|authenticate with|\bauthrequired\b|auth(?:entication|orization)? fail|reverse dns|\brdns\b|\bptr\b|reverse (?:lookup|name|mapping)|\bhelo\b|\behlo\b|mismatch(?:es)? client|forged|\btls\b|starttls|encryption required|not (?:a )?(?:recognized|authori[sz]ed) (?:sender|as a)|recognized as a valid sender/,
  },
  {
    class: 'ours',
    overrules: true,
    means: 'the sender is refused',
    words:
      /sender(?:'s)? (?:address|domain|verify|is|was|not|does|rejected|denied|refused|unknown|id|ip|host)[^.]{0,40}|(?:bad|invalid|unknown|unverified|rejected) (?:sender|return path|mail ?from|envelope from|from address)|domain of sender|mail ?from (?:domain|address|command|rejected)|return address|from address (?:is )?(?:not|invalid|rejected)|sender was rejected|rejected (?:your )?mail from/,
  },
  {
    class: 'ours',
    overrules: true,
    means: 'the server does not relay for us',
    words:
      /relay(?:ing)?[^.]{0,20}(?:denied|not (?:permitted|allowed|accepted|authori[sz]ed)|prohibited|refused|forbidden|rejected)|(?:unable|not (?:permitted|allowed|configured|authori[sz]ed)|cannot|can't|do(?:es)? not|refuse[sd]?|insecure|no|unauthori[sz]ed|prohibited|denied)(?: \w+){0,2} (?:to )?(?:mail )?relay|allowed (?:rcpthosts|to relay)|not (?:in|on) (?:my|the) (?:list of allowed )?rcpthosts|unable to relay/,
  },
  {
    class: 'soft',
    overrules: false,
    means: 'for now only',
    words: new RegExp(
      `temporar\\w*[^.]{0,40}(?:locked|disabled|unavailable|suspended|rejected|failure|error|problem|deferred|blocked)|${WHO} (?:is )?temporar|host ?name lookup failure|lookup (?:timed|failed: try)|(?:connection|operation|lookup|session|conversation) timed out|malformed or unexpected name server reply|(?:not|un)[ -]?reachable|try (?:again )?later|please retry|grey ?list`,
    ),
  },
  {
    class: 'hard',
    overrules: false,
    means: 'nobody has this address, or has it any more',
    words: new RegExp(
      [
        `\\b${WHO}\\b[^.!;]{0,60}?\\b${GONE}`,
        `\\b${GONE}:? (?:or |local |e-?mail |mail |final |delivery |destination |remote |virtual |gateway |recipient |smtp )*${WHO}\\b`,
        `no (?:such |local |valid |active )?(?:e-?mail |virtual |person|mail )?(?:${WHO}|name|one|entry)\\b[^.]{0,30}`,
        `(?:not|isn't|is not)(?: a| an| our| one of our)* (?:valid |known |registered |local |gateway |existing |recogni[sz]ed |active )*${WHO}\\b`,
        `(?:cannot|can't|could not|couldn't|unable to) (?:find|locate|identify|verify)[^.]{0,20}${WHO}`,
        `(?:bad|incorrect|wrong|illegal|malformed|unroutable|unrouteable|inexistent|unresolvable|dead) (?:destination |mail ?box |e-?mail |syntax )*${WHO}`,
        `${WHO} (?:syntax|format) (?:is )?(?:incorrect|error|invalid)|bad destination mailbox address|malformed address`,
        `does ?n[o']?t have an? [^.]{0,40}account|doesn't have a[^.]{0,40} account|has no mailbox|not listed in|not our (?:user|customer)|recipientnotfound`,
        `account[^.]{0,40}(?:disabled|discontinued|suspended|inactive)|delivery to the following recipients? failed: unknown`,
      ].join('|'),
    ),
  },
  {
    class: 'hard',
    overrules: false,
    means: 'there is no such domain, or it takes no mail',
    words: new RegExp(
      `\\b${WHERE}\\b[^.!;]{0,40}?\\b(?:unknown|not found|(?:does|do) ?n[o']?t exist|cannot be found|could(?:n't| not) be found|invalid|nonexistent|non-existent|not exist)|(?:unknown|no such|invalid|unable to (?:find|resolve)|cannot (?:find|resolve)|bad|illegal|nonexistent) (?:mail )?${WHERE}|nxdomain|null mx|(?:does ?n[o']?t|will not) (?:receive|accept)(?: any)? e?-?mail|(?:host|domain) does not accept|no smtp service|name or service not known|no mx or srv|mx points to (?:a )?null`,
    ),
  },
  {
    class: 'soft',
    overrules: false,
    means: 'trouble on the way',
    words:
      /timed? ?out|connection (?:refused|reset|lost|closed|dropped|died)|lost connection|connect(?:ion)? (?:to|error|fail)|unable to (?:connect|contact|establish)|establish an smtp connection|socket error|network (?:error|unreachable|problem)|accept our requests to connect|expired|expiration|giving up|given up|too long in|in the queue too long|for a long time|last \d+ seconds|\d+ attempts|multiple retries|retry time|deferred|temporar|try again|hop count|mail loop|loops back|too many hops|routing loop|(?:service|system|server)[^.]{0,25}(?:unavailable|busy|not available|shutting|error|problem|full)|i\/o error|disk (?:full|error)|lock failure|error while writing|mailer error|internal error|local (?:error|configuration)|could not (?:open|create|write)|cannot (?:open|create|write)|read error|protocol error|service refuse/,
  },
  {
    class: 'ours',
    overrules: false,
    means: 'refused, and it is not said why',
    words:
      /access (?:is )?denied|\bdenied\b|not (?:accepted|allowed|authori[sz]ed|permitted)|unauthori[sz]ed|restricted|forbidden|\brejected\b|\bfiltered\b|\bblocked\b|not accept|refused by|administratively|bad sequence|improper sequence|sequence of commands|not implemented|syntax error|unrecogni[sz]ed command|need (?:mail|rcpt)|protocol violation/,
  },
]

/** RFC 3463 codes that name the address itself: bad mailbox, system, syntax; moved; null MX; mailbox disabled. */
const HARD = /^5\.(?:1\.(?:1|2|3|6|10)|2\.1)$/
/** Security and policy; message too large (5.2.3 is the mailbox's own limit); protocol; media; and the sender's address. */
const OURS = /^5\.(?:7\.\d+|3\.4|2\.3|5\.[1-9]\d*|6\.[1-9]\d*|1\.[78])$/
const SOFT = /^(?:4\.(?!0\.0$)\d+\.\d+|5\.2\.2|5\.2\.4|5\.3\.[1235]|5\.4\.[1-9]\d*)$/

/** What a code says by itself; `null` for those that say nothing, such as 5.0.0. */
const classOfCode = (code: string): 'hard' | 'soft' | 'ours' | null =>
  HARD.test(code) ? 'hard' : OURS.test(code) ? 'ours' : SOFT.test(code) ? 'soft' : null

/** Where neither code nor words are definite. */
const fallbackOf = (code: string): 'soft' | 'ours' => (/^(?:5\.[56]\.\d+|50[0-4])$/.test(code) ? 'ours' : 'soft')

/** No version of a program or number of an address: it begins a word, follows a basic code, or stands in brackets. */
const ENHANCED =
  /(?:(?<=^|[\s(#:<'"[;,>])|(?<=\b[45]\d\d-))(?<!(?:exim|postfix|sendmail|version|smtpd?|mta|qmail|server|release) )([45]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)/gi
const BASIC = /(?<![\d.#:/-])\b([45][0-5]\d)(?=[\s\-:;>'")\]]|$)(?!\s*(?:bytes|octets|seconds|minutes|kb|mb|\d{2}:))/g
const MOST_CODES = 20
const MOST_TEXT = 20_000

/** Enhanced codes of a text in order, each once. */
export const readEnhancedCodes = (text: string): string[] => {
  const found = new Set<string>()
  for (const match of text.slice(0, MOST_TEXT).matchAll(ENHANCED)) {
    if (match[1] !== undefined) found.add(match[1])
    if (found.size >= MOST_CODES) break
  }
  return [...found]
}

/** The first basic SMTP code of a text. */
export const readBasicCode = (text: string): string | null => {
  for (const match of text.slice(0, MOST_TEXT).matchAll(BASIC)) if (match[1] !== undefined) return match[1]
  return null
}

/**
 * A text as it is searched for sayings: names of people and machines say the strangest things and are taken out, and so
 * are links, but for the block lists that they lead to.
 */
const plainWords = (text: string): string =>
  text
    .slice(0, MOST_TEXT)
    .toLowerCase()
    .replace(/https?:\s*\S+/g, (link) => /spamhaus|sorbs|spamcop|barracuda|dnsbl|uribl|rbl\b/.exec(link)?.[0] ?? ' ')
    .replace(/<?"?[^\s<>"@]{1,64}"?@[^\s<>]{1,255}>?/g, ' ')
    .replace(/\b(?:[a-z0-9-]{1,63}\.){1,10}[a-z]{2,24}\b/g, (name) =>
      /\b(?:spamhaus|sorbs|spamcop|barracudacentral|uribl|surbl)\.|\bdnsbl\b|^resolver\.adr\.recipientnotfound$/.test(
        name,
      )
        ? name.replaceAll('.', ' ')
        : ' ',
    )
    .replace(/\(in reply to [^)]{0,60}\)/g, ' ')
    .replace(/\b[45]\d\d[- ](?:[45]\.\d{1,3}\.\d{1,3})?/g, ' ')
    .replace(/[’`]/g, "'")
    // What Postfix and Exim write before whatever the reason is.
    .replace(/recipient address(?:es)? rejected|all recipients? (?:address(?:es)? )?rejected/g, ' ')
    .replace(/\s+/g, ' ')

/** What a text says, in words that are understood; `null` if in none. */
export const readSaying = (text: string): Saying | null => {
  const words = plainWords(text)
  return SAYINGS.find((saying) => saying.words.test(words)) ?? null
}

/**
 * Judges a refusal by the status that a report gives (`null` where there is no report), by what the refusing server said,
 * and, where these leave it open, by the rest of the text around it.
 */
export const judgeRefusal = (status: string | null, diagnostic: string, around = ''): Refusal => {
  const stated = status === null ? [] : [status]
  const told = readEnhancedCodes(diagnostic)
  const definite = [...stated, ...told].find((code) => classOfCode(code) !== null)
  const saying = readSaying(diagnostic)
  const basic = readBasicCode(diagnostic)

  if (definite !== undefined) {
    const byCode = classOfCode(definite) ?? 'soft'
    if (byCode !== 'hard' || saying === null || !saying.overrules) return { class: byCode, code: definite }
    const agreeing = told.find((code) => classOfCode(code) === saying.class)
    return { class: saying.class, code: agreeing ?? definite }
  }
  const code = stated[0] ?? told[0] ?? basic
  if (code === null && around === '' && saying === null) return { class: 'unknown', code: null }
  if (saying !== null) {
    // A 4xx reply alone is no last word on anybody's address.
    const passing = stated.length === 0 && told.length === 0 && basic?.startsWith('4') === true
    return { class: passing && saying.class === 'hard' ? 'soft' : saying.class, code }
  }
  if (around !== '') {
    const rest = judgeRefusal(null, around)
    const helps = rest.class !== 'unknown' && (readSaying(around) !== null || readEnhancedCodes(around).length > 0)
    const definiteThere = readEnhancedCodes(around).find((each) => classOfCode(each) !== null)
    if (helps) return { class: rest.class, code: definiteThere ?? code ?? rest.code }
    if (code === null) return rest
  }
  return code === null ? { class: 'unknown', code } : { class: fallbackOf(code), code }
}
