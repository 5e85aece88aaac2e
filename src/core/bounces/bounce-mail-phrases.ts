/** The phrases by which a mail is recognised as a bounce, a delay or an auto-reply, in any letter case. */
import { inTurn, oneOf, patternOf } from './pattern.ts'

/** The sender of a bounce: the beginning of its address. */
export const SYSTEM_SENDER = patternOf(
  [
    inTurn(
      /^"?/,
      oneOf(
        /mailer-?_?daemon/,
        /mail-?daemon/,
        /post_?master/,
        /poostmaster/,
        /mdaemon/,
        /mail-?system/,
        /maildelivery/,
        /mail\.?delivery/,
        /bounce/,
        /smtp/,
        /mmdf/,
        /delivery/,
        /error-?notice/,
        /nobody/,
        /amavisd/,
        /mta/,
        /exchange/,
        /system/,
      ),
      /\b/,
    ),
  ],
  'i',
)

/** The sender of a bounce by its display name. */
export const SYSTEM_NAME = patternOf(
  [/mail(?:er)?[ -]?(?:delivery|daemon|system|administrator)/, /delivery (?:sub)?system/, /post ?master/],
  'i',
)

/** The subject of a bounce. */
export const FAILURE_SUBJECT = patternOf(
  [
    /undeliver/,
    /non[- ]?deliver/,
    /not (?:be )?deliver/,
    /delivery (?:has )?(?:fail|status|notification|report|error|problem)/,
    /fail(?:ed|ure)[^a-z]*(?:delivery|notice|mail)/,
    /mail(?:er)? (?:delivery )?(?:fail|error|system error)/,
    /mail failure/,
    /returned (?:mail|to sender)/,
    /return(?:ing|ed) (?:mail|message|to sender)/,
    /error sending your mail/,
    /message delivery has failed/,
    /unable to deliver/,
    /could not (?:be )?(?:sent|deliver)/,
    /bounced/,
    /rejected mail/,
    /warning: could not send/,
    /delayed mail/,
    /unzustellbar/,
    /non remis/,
    /недоставлен/,
    /не доставлено/,
    /メールエラー/,
  ],
  'i',
)

/** The text of a bounce. */
export const FAILURE_TEXT = patternOf(
  [
    /(?:could|can|was|were)(?: not|n't) (?:be )?(?:deliver|sent|reach)/,
    /unable to deliver/,
    /undeliverable/,
    /delivery (?:to|of|has)[^.\n]{0,60}fail/,
    /failed to (?:deliver|send)/,
    /not be delivered/,
    /did not reach/,
    /permanent(?: fatal)? error/,
    /had (?:delivery|permanent)/,
    /following (?:address|recipient)/,
    /could not be delivered to:? *</,
  ],
  'i',
)

/** The text of a report that the server goes on trying. */
export const DELAY = patternOf(
  [
    /warning (?:message )?only/,
    /do(?:es)? not need to re-?send/,
    /no need to re-?send/,
    /still being (?:re)?tried/,
    /(?:has been|is|was|been) delayed/,
    /delay(?:ed)? (?:in|for more than)/,
    /temporary failure report/,
    /will (?:be retried|retry|keep trying|continue)/,
    /not yet (?:been )?(?:delivered|received)/,
    /warning: could not send/,
    /delivery incomplete/,
    /yet been delivered/,
  ],
  'i',
)

/** The text of a report that the server has stopped trying, whatever it says of delays. */
export const FINAL = patternOf(
  [
    /given up/,
    /giving up/,
    /permanent(?:ly)? (?:fail|error)/,
    /failed permanently/,
    /will be deleted/,
    /could not be delivered for/,
    /not going to try again/,
    /has stopped trying/,
    /no further (?:delivery )?attempts/,
  ],
  'i',
)

/** The subject of an auto-reply. */
export const AUTO_SUBJECT = patternOf(
  [
    inTurn(
      /^(?:re:\s*|fwd?:\s*|aw:\s*)*/,
      oneOf(
        /\[?auto(?:matic|mated|mat)?[- ]?(?:reply|response|responder|answer|antwort)?\]?\s*[:：-]/,
        /auto(?:matic|mated)? ?-?(?:reply|response)/,
        /out ?of ?(?:the )?office/,
        /ooo\b/,
        /away\b/,
        /on (?:vacation|holiday|leave)/,
        /vacation/,
        /i am (?:away|out)/,
        /abwesen/,
        /automatische antwort/,
        /réponse automatique/,
        /absence/,
        /absent/,
        /respuesta autom/,
        /risposta autom/,
        /fuori sede/,
        /自動返信/,
        /自动回复/,
        /自動回覆/,
      ),
    ),
  ],
  'i',
)

/** The address of the recipient in the text of a bounce, after a phrase that announces it. */
export const NAMED_RECIPIENT = patternOf(
  [
    inTurn(
      oneOf(
        /rcpt to/,
        /recipient/,
        /recipient address/,
        /delivered to/,
        /deliver (?:message )?to/,
        /undeliverable to/,
        /addressed to/,
        /delivery failed/,
        /failed to/,
        /userid/,
        /full/,
        /allowed size/,
        /attempts/,
      ),
      /:?\s*<?([^\s<>"]{1,64}@[^\s<>":,]{1,255})>?/,
    ),
  ],
  'i',
)
