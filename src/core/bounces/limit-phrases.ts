/**
 * The phrases in which mail servers say that somebody's limit is reached, and whose limit that is: regular expressions over
 * lower-case words.
 *
 * The codes do not tell: a used up daily quota is `550 5.4.5` at Gmail, `554 5.2.0` at Office 365, `454` at Amazon SES, `450`
 * at IONOS, `552` elsewhere. The words do. Who is told to *send* less is the sender, so what speaks of sending, of outgoing or
 * relayed mail, or of messages an hour or a day, is said by the relay that we send through, at whatever stage. What speaks of
 * receiving, or of a full mailbox, is said of the recipient. What speaks of our reputation or our IP address as the origin of
 * unsolicited mail comes from a destination, passed on by a relay that delivers while we wait. Words that fit none of these
 * (a bare `quota exceeded`) are left to their code; where many destinations repeat them, the breaker finds out that they are
 * the relay's.
 *
 * Sources: support.google.com/a/answer/3726730 (SMTP errors) and 166852 (limits), learn.microsoft.com "Fix NDR errors"
 * and "SMTP submission improvements", docs.aws.amazon.com/ses "SMTP response codes", senders.yahooinc.com/smtp-error-codes,
 * ionos.com/help "mass mailing limits", zoho.com/mail/help "bounce messages", support.cpanel.net (max emails per hour),
 * Postfix anvil(8), Exim's `ratelimit`, policyd's and MagicSpam's defaults, and public reports.
 */
import { inTurn, oneOf, patternOf } from './pattern.ts'

/**
 * Of the relay: its `quota` for an hour, a day or longer is used up; it has stopped our `account`; it bears fewer
 * `connections`; it takes mail at a lower `rate`. `destination`: a destination takes less from us. `recipient`: one mailbox
 * gets too much just now.
 */
export type Limit = 'quota' | 'account' | 'connections' | 'rate' | 'destination' | 'recipient'

/** A kind of limit, and the phrases that state it. */
interface StatedLimit {
  limit: Limit
  /** In words, for readers of this list. */
  means: string
  phrases: RegExp
}

/** Words between two that belong together: of one clause, and not about what a mailbox stores, or the size of a message. */
const GAP = /(?:(?!mail ?box|inbox|storage|\bdisk|\bsize|folder|\blength|large|\bbig\b|queue|retry)[^.!;]){0,50}?/
/** The same, and neither about a recipient nor about a rate. */
const OWN_GAP =
  /(?:(?!mail ?box|inbox|storage|\bdisk|\bsize|folder|\blength|large|\bbig\b|queue|retry|recipient|user|addressee|\brate)[^.!;]){0,50}?/
const MAILS = oneOf(/messages?/, /e-?mails?/, /mails?/, /recipients?/, /deliveries/, /submissions?/, /posts/)
const PERIOD = oneOf(/hours?/, /days?/, /daily/, /hourly/, /weeks?/, /weekly/, /months?/, /monthly/, /24 ?h/, /period/)
const EXCEEDED = oneOf(
  /exceed/,
  /reached/,
  /\bhit\b/,
  /\bover\b/,
  /used up/,
  /exhausted/,
  /deplet/,
  /surpass/,
  /ran out/,
  /run out/,
  /above/,
  /beyond/,
  /go past/,
  /gone past/,
  /too many/,
  /no more/,
  /maxed out/,
  /no remaining/,
  /none left/,
  /\bspent\b/,
)
/** What is used up: an amount for a time. */
const AMOUNT = oneOf(
  /limits?\b/,
  /limitation/,
  /quota/,
  /allowance/,
  /allotment/,
  /allocation/,
  /\bcap\b/,
  /maximum/,
  /\bmax\b/,
  /threshold/,
  /credits?\b/,
  /volume/,
  /budget/,
  /share of/,
)
/** What makes it an amount of sent mail. */
const SENDING = oneOf(
  /\bsend(?:ing|er|ers|s)?\b/,
  /\bsent\b/,
  /outgoing/,
  /outbound/,
  /submission/,
  /\brelay(?:ed|ing)?\b/,
  /\bsmtp\b/,
  /messages?/,
  /\byour\b/,
  /\btenant/,
  /\bplan\b/,
  /\bbulk\b/,
)

/** In order: the first whose phrases match counts. */
const STATED_LIMITS: readonly StatedLimit[] = [
  {
    limit: 'recipient',
    means: 'the recipient gets too much mail just now',
    phrases: patternOf([
      /receiving (?:e?-?mail|messages) (?:at a rate|too quickly|too fast)/,
      /mailbox is (?:busy|in use)/,
      /(?<!external )recipient (?:rate|traffic)/,
      inTurn(/(?:recipient|mail ?box|user|addressee) (?:has |have |is )?(?:received|receiv)/, GAP, EXCEEDED),
      inTurn(EXCEEDED, GAP, /(?:incoming|inbound|receiving)/, GAP, AMOUNT),
      inTurn(/(?:recipient|mail ?box|user|addressee)/, GAP, EXCEEDED, GAP, /\breceive/),
      inTurn(/(?:incoming|inbound|receiv(?:e|ing))/, GAP, AMOUNT),
    ]),
  },
  {
    limit: 'destination',
    means: 'a destination takes less from us, for what it thinks of us',
    phrases: patternOf([
      /unusual (?:rate|amount|volume) of (?:unsolicited )?(?:e-?)?mail/,
      /unexpected volume/,
      /rate[- ]?limited[^.]{0,80}(?:unauthenticated|authenticat|\bdkim|\bspf|\bdmarc|aligned|\bptr\b|reverse dns)/,
      /temporarily deferred due to/,
      /will be permanently deferred/,
      /rate limited due to (?:ip|domain|sender)?/,
      /(?:ip|domain|sender|mail server)[^.]{0,60}temporarily rate limited/,
      /\[tss?\d\d\]/,
      /\brl\d{6}\b/,
      /\brp-00\d\b/,
      /\bsc-00\d\b/,
      /(?:ip|connection) frequency limited/,
      /exceeded the rate limit allowed/,
      /(?:reputation|complaints?)[^.]{0,60}(?:throttl|rate|limit|deferred|slow)/,
      /(?:throttl|rate|limit|deferred|slow)[^.]{0,60}(?:reputation|complaints?)/,
    ]),
  },
  {
    limit: 'connections',
    means: 'the relay bears fewer connections',
    phrases: patternOf([
      /too many (?:\w+[ -]){0,3}?(?:connections?|sessions?|clients|threads)\b(?! (?:rate|attempts))/,
      /too much connections/,
      inTurn(/(?:concurrent|simultaneous|parallel|open)[^.]{0,20}(?:connections?|sessions?)/, GAP, AMOUNT),
      inTurn(
        AMOUNT,
        /[^.]{0,30}(?:(?:concurrent|simultaneous|parallel|open)[^.]{0,12})?(?:connections?|sessions?)\b(?! rate)/,
      ),
      /(?:connections?|sessions?)(?! rate)[^.]{0,20}(?:limit|quota|exceed)/,
      /concurrency (?:limit|exceed)/,
      /only \d+ (?:\w+ )?(?:connections?|sessions?)/,
      /(?:reduce|fewer|lower)[^.]{0,30}(?:connections?|sessions?|concurrency)/,
      /trop de connexions/,
      /zu viele (?:gleichzeitige )?verbindungen/,
      /demasiadas conexiones/,
    ]),
  },
  {
    limit: 'account',
    means: 'the relay has stopped our account',
    phrases: patternOf([
      /outboundspam/,
      /unusual sending activity/,
      /wascl ?useraction/,
      inTurn(
        /(?:your|this|the|sender|sending|customer|user)?(?:'s)? ?(?:account|sending|tenant|service|plan|subscription)/,
        /(?: (?:has been|is|was|have been))? (?:temporarily |currently )?/,
        /(?:suspended|blocked|disabled|paused|restricted|locked|frozen|barred|prevented)/,
        /[^.]{0,30}(?:from )?(?:send|outgoing|outbound|relay|smtp)/,
      ),
      inTurn(
        /(?:blocked|barred|banned|restricted|suspended|disabled|prevented|not allowed|not permitted) from /,
        /(?:sending|relaying|submitting)/,
      ),
      /(?:sending|outgoing|outbound)(?: e?-?mails?| messages?)?(?: \w+){0,3} (?:is |has been |was |are )(?:temporarily )?(?:suspended|disabled|paused|blocked|restricted|locked)/,
      /sending (?:privileges|rights|ability)/,
      /sending (?:paused|suspended|disabled|blocked|stopped)\b/,
      /tenant has exceeded (?:a |the )?threshold/,
      /(?:suspicious|abnormal|unusual) (?:outgoing|outbound|sending)/,
      /account (?:is )?under review/,
      /(?:subscription|trial|plan) (?:has |is )?(?:expired|ended)/,
    ]),
  },
  {
    limit: 'quota',
    means: 'the relay’s quota for an hour, a day or longer is used up',
    phrases: patternOf([
      /quotaexceeded/,
      inTurn(/\b/, PERIOD, /\b/, GAP, AMOUNT),
      inTurn(AMOUNT, GAP, /\b(?:per|an?|each|every|this|in|for(?: the)?|within|\/) ?(?:\w+ ){0,2}/, PERIOD, /\b/),
      inTurn(
        oneOf(EXCEEDED, AMOUNT, /\bonly\b/, /allowed/, /number (?:of )?/),
        GAP,
        MAILS,
        GAP,
        /\b(?:per|an?|each|every|this|in|for|within|last|\/|today) ?(?:the )?(?:last |past |same )?(?:\d+[ -])?/,
        PERIOD,
      ),
      inTurn(/number (?:of )?/, MAILS, / (?:per|an) (?:hour|day) exceeded/),
      inTurn(
        /\d ?/,
        MAILS,
        / (?:\w+ )?(?:today|(?:an?|per|each|every|in|within|par|pro|al) (?:\d+ )?(?:hour|day|minute|month|week|heure|jour|stunde|tag|d[ií]a))/,
      ),
      inTurn(MAILS, / (?:that )?you (?:may|can|are allowed to) send/),
      /more (?:e-?)?mails? than/,
      inTurn(SENDING, OWN_GAP, AMOUNT, OWN_GAP, EXCEEDED),
      inTurn(EXCEEDED, OWN_GAP, SENDING, OWN_GAP, AMOUNT),
      inTurn(AMOUNT, OWN_GAP, SENDING, OWN_GAP, EXCEEDED),
      /(?:message|mail|e-?mail|sending|send|relay|recipient) limit (?:has been |was |is )?(?:exceed|reach|hit)/,
      /recipient (?:rate )?limit/,
      /sender limit/,
      /sender (?:is |has gone )?over (?:its |the )?(?:quota|limit)/,
      inTurn(
        /(?:sending|send|outgoing|outbound|relay|submission|smtp)[ -](?:e?-?mails? |messages? )?/,
        AMOUNT,
        GAP,
        EXCEEDED,
      ),
      /over (?:your |the )?(?:relay|sending|message|send) (?:quota|limit)/,
      /(?:not enough|insufficient|no|out of|zero)(?: \w+){0,2} credits/,
      /credits?[^.]{0,20}(?:exceed|exhaust|used up|deplet|expired)/,
      /policy rejection[-;:,. ]+quota/,
      /\bquota d[’']envoi/,
      /limite d[’']envoi/,
      /(?:sende-?limit|versandlimit|sendekontingent)/,
      /(?:versend|versand|ausgehend)[^.!]{0,40}(?:limit|kontingent|quota)/,
      /(?:limit|kontingent|quota)[^.!]{0,40}(?:versend|versand|ausgehend)/,
      /l[ií]mite de env[ií]o/,
      /limite di invio/,
      /daily relay/,
    ]),
  },
  {
    limit: 'rate',
    means: 'the relay takes mail at a lower rate',
    phrases: patternOf([
      /too many (?:\w+[ -]){0,2}?(?:messages|e-?mails|mails|requests|submissions|deliveries|recipients|posts|transactions|commands|calls)\b(?! per message)/,
      /too many (?:login|auth\w*|connection)s?(?: attempts)?\b/,
      /too much (?:e-?)?mail/,
      /(?:sent|sending|send|submitted|submitting|delivering)(?: \w+)? too (?:many|much|fast|quickly|often|rapidly|frequently)/,
      /too (?:fast|quickly|rapidly|frequent(?:ly)?)\b/,
      /rate[- ]?limit/,
      /(?:limit|cap|maximum|max|exceed\w*|over|above|high|reduce|lower|decrease)[^.]{0,40}\brate\b/,
      /\brate\b[^.]{0,25}(?:limit|exceed|threshold|restrict|cap\b|control|reached|too high)/,
      /throttl/,
      /slow(?:er|ing)?(?: it)? down/,
      /(?:speed|pace|frequency) (?:is )?too (?:high|fast)/,
      /try again slower|send (?:more )?slower|more slowly/,
      /frequency (?:limit|is limited|limited|exceeded)/,
      inTurn(EXCEEDED, GAP, MAILS, GAP, /(?:\bper |\ba |\/ ?)(?:second|minute|sec\b|min\b|s\b)/),
      inTurn(MAILS, GAP, /(?:\bper |\ba |\/ ?)(?:second|minute|sec\b|min\b)/),
      /short (?:amount|period|space) of time/,
      /exceeded (?:the |your )?(?:maximum|max) (?:number|limit)/,
      /(?:connection|message|sending|relay|send) (?:is )?(?:limit|threshold|restriction)/,
      /\bburst/,
      /flood/,
      /trop de (?:messages|mails|courriels|requ[eê]tes)/,
      /zu viele (?:nachrichten|e-?mails|mails|anfragen)/,
      /demasiados (?:mensajes|correos)/,
    ]),
  },
]

/** Whose limit a text states to be reached, by the first list of phrases that matches; `null` where none does. */
export const readLimitPhrase = (words: string): Limit | null =>
  STATED_LIMITS.find(({ phrases }) => phrases.test(words))?.limit ?? null
