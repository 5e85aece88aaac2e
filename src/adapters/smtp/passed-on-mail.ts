/** Passes mail to `postmaster` on to the operator: as an attachment of a mail of ours, whose sender DMARC can verify. */
import { randomUUID } from 'node:crypto'
import MailComposer from 'nodemailer/lib/mail-composer'
import { HOUR } from '../../core/calendar.ts'
import { AUTOMATIC_MAIL_HEADERS } from '../../core/sending/list-headers.ts'
import { describeOutcome } from '../../core/sending/smtp-outcome.ts'
import type { Smtp } from './smtp.ts'

interface Options {
  send: Smtp['send']
  /** The sender, whose address also gets what cannot be delivered. */
  from: { name: string; address: string }
  to: string
  now: () => Date
}

/** Anybody can write to `postmaster`; more than this must wait, or the operator's mailbox would be anybody's to fill. */
const MAX_AN_HOUR = 20

/** Returns what passes a message on. It rejects where the relay does not take it, and for more than `MAX_AN_HOUR`. */
export const createPassOn = ({ send, from, to, now }: Options) => {
  const passed: number[] = []
  return async (raw: Uint8Array, recipient: string): Promise<void> => {
    const at = now()
    while (passed.length > 0 && at.getTime() - (passed[0] ?? 0) > HOUR) passed.shift()
    if (passed.length >= MAX_AN_HOUR) throw new Error('too much mail to postmaster within an hour')
    passed.push(at.getTime())
    const composer = new MailComposer({
      from,
      to,
      subject: `Mail to ${recipient}`,
      messageId: `<postmaster-${randomUUID()}@${from.address.split('@')[1] ?? 'localhost'}>`,
      date: at,
      headers: AUTOMATIC_MAIL_HEADERS,
      text: `Somebody wrote to ${recipient}, where Paper Round receives bounces. Their message is attached as it came.\r\n`,
      // Not as message/rfc822, which must not be encoded (RFC 2046 5.2.1): it has to arrive as it came.
      attachments: [
        {
          filename: 'message.eml',
          contentType: 'application/octet-stream',
          content: Buffer.from(raw),
          encoding: 'base64',
        },
      ],
      newline: 'windows',
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    const outcome = await send({ from: from.address, to, message: await composer.compile().build() })
    if (outcome.kind !== 'sent') throw new Error(describeOutcome(outcome))
  }
}
