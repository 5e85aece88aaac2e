/**
 * The webhook of Amazon SES through SNS: signed messages of one topic.
 *
 * A valid signature alone proves little, since every AWS account can have one: the topic must be ours, and the certificate
 * is fetched only from the host of the topic's region
 * (https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html).
 */
import { createVerify, X509Certificate } from 'node:crypto'
import { asInstant, asRecord, asText, parseJson } from '../../core/bounces/json.ts'
import type { ProviderEvent, ReadWebhook } from '../../core/bounces/provider-event.ts'
import { readSesEvent } from '../../core/bounces/ses-notice.ts'

const SIGNED: Record<string, string[]> = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
  UnsubscribeConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
}
const ALGORITHMS: Record<string, string> = { '1': 'RSA-SHA1', '2': 'RSA-SHA256' }
const CERTIFICATE_PATH = /^\/SimpleNotificationService-[0-9a-f]{1,64}\.pem$/
const OF_SNS = /(?:^|\n)CN=sns\.(?:[a-z0-9-]+\.)?amazonaws\.com(?:\n|$)/
const MAX_CERTIFICATES = 8

/** The host of the region of `arn:aws:sns:REGION:ACCOUNT:NAME`; `null` where it is no such ARN. */
export const hostOfTopic = (arn: string): string | null => {
  const region = /^arn:aws:sns:([a-z]{2}(?:-[a-z]+)+-\d):\d{12}:[A-Za-z0-9_.-]{1,256}$/.exec(arn)?.[1]
  return region === undefined ? null : `sns.${region}.amazonaws.com`
}

export interface SesOptions {
  topicArn: string
  /** Fetches a text from a URL, which is always on the topic's host; rejects where that fails. */
  fetchText: (url: string) => Promise<string>
}

/** An https URL on the topic's host without credentials; `null` for any other. */
const pinned = (text: string | null, host: string): URL | null => {
  const url = text === null ? null : URL.parse(text)
  return url !== null && url.protocol === 'https:' && url.host === host && url.username === '' && url.password === ''
    ? url
    : null
}

const eventsOf = (message: unknown, messageId: string): ProviderEvent[] =>
  (Array.isArray(message) ? message : [message]).flatMap((one, n) => {
    const notice = readSesEvent(one)
    if (notice === null) return []
    const { recipient, ...report } = notice
    const body = asRecord(one)
    const mail = asRecord(body.mail)
    const headers = Array.isArray(mail.headers) ? mail.headers.map(asRecord) : []
    const marks = [
      asText(mail.source),
      ...headers.filter(({ name }) => /^message-id$/i.test(asText(name) ?? '')).map(({ value }) => asText(value)),
      asText(asRecord(mail.commonHeaders).messageId),
    ]
    const own = asRecord(body.bounce ?? body.complaint)
    return [
      {
        id: asText(own.feedbackId) ?? `${messageId}/${n}`,
        report,
        recipient,
        marks: marks.filter((mark) => mark !== null),
        at: asInstant(own.timestamp),
      },
    ]
  })

/** Throws where the topic is no ARN. */
export const createSesReader = ({ topicArn, fetchText }: SesOptions): ReadWebhook => {
  const host = hostOfTopic(topicArn)
  if (host === null) throw new Error('not the ARN of a topic')
  const certificates = new Map<string, X509Certificate>()

  const certificateAt = async (url: URL, now: Date): Promise<X509Certificate | null> => {
    let certificate = certificates.get(url.pathname)
    if (certificate === undefined) {
      certificate = new X509Certificate(await fetchText(url.href))
      if (certificates.size >= MAX_CERTIFICATES) certificates.clear()
      certificates.set(url.pathname, certificate)
    }
    const valid = certificate.validFromDate <= now && now <= certificate.validToDate
    return valid && OF_SNS.test(certificate.subject) ? certificate : null
  }

  return async ({ body }, now) => {
    const envelope = asRecord(parseJson(body.toString('utf8')))
    const type = asText(envelope.Type) ?? ''
    const fields = Object.hasOwn(SIGNED, type) ? SIGNED[type] : undefined
    const algorithm = ALGORITHMS[asText(envelope.SignatureVersion) ?? '']
    const certificateUrl = pinned(asText(envelope.SigningCertURL), host)
    if (fields === undefined || algorithm === undefined || envelope.TopicArn !== topicArn) return 'refused'
    if (certificateUrl === null || certificateUrl.search !== '' || !CERTIFICATE_PATH.test(certificateUrl.pathname))
      return 'refused'
    const certificate = await certificateAt(certificateUrl, now)
    if (certificate === null) return 'refused'
    const canonical = fields
      .filter((name) => typeof envelope[name] === 'string')
      .map((name) => `${name}\n${envelope[name]}\n`)
      .join('')
    const verify = createVerify(algorithm).update(canonical, 'utf8')
    if (!verify.verify(certificate.publicKey, asText(envelope.Signature) ?? '', 'base64')) return 'refused'

    switch (type) {
      case 'SubscriptionConfirmation': {
        const confirm = pinned(asText(envelope.SubscribeURL), host)
        if (confirm === null || confirm.searchParams.get('Action') !== 'ConfirmSubscription') return 'refused'
        await fetchText(confirm.href)
        return { events: [] }
      }
      case 'Notification': {
        const message = parseJson(asText(envelope.Message) ?? '')
        // To a new subscriber SNS sends a greeting that is not JSON.
        return { events: message === undefined ? [] : eventsOf(message, asText(envelope.MessageId) ?? '') }
      }
      default:
        return { events: [] }
    }
  }
}
