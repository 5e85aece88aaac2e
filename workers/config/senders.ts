/** The settings of mail that leaves: the relay, the senders, what every mail must state, and what is sent twice. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DEFAULT_NAME } from '../../src/core/branding/service-name.ts'
import { readSmtpUrl } from '../../src/core/sending/smtp-url.ts'
import { readAddress } from '../../src/core/subscriber/address.ts'
import { oneOf, type Settings } from './settings.ts'

const ON_UNKNOWN = ['resend', 'hold'] as const

export interface Sender {
  name: string
  address: string
}

export interface SenderConfig {
  /** `null`: the embedded mailbox, which keeps every mail on this machine. */
  smtpUrl: string | null
  /** Certificates in PEM of an authority of one's own, which may vouch for the relay's. */
  smtpAuthority: string | null
  /** The most connections that each mailer has open to the relay. */
  smtpConnections: number
  mailFrom: Sender
  /**
   * The sender of letters (confirmations and such), so that providers rate them apart from digests: complaints about a
   * digest must not keep the next confirmation from arriving. The same as `mailFrom` unless it is set.
   */
  lettersFrom: Sender
  /** Where replies go; `null`: to the sender. */
  replyTo: Sender | null
  postalAddress: string | null
  /** Who runs the service, for the privacy page: the sender's name unless it is set. */
  operatorName: string
  /** Where readers write to about their data: the sender's address unless it is set. */
  contactEmail: string
  /** What happens to a digest when it is unknown whether the server accepted it. */
  onUnknown: (typeof ON_UNKNOWN)[number]
}

export const DEFAULT_SENDER: Sender = { name: DEFAULT_NAME, address: 'round@localhost' }

/** Two for letters, and four for each of four groups of digests. */
export const DEFAULT_CONNECTIONS = 18
const MAX_CONNECTIONS = 100

/** `serviceName` is the sender’s, where the settings give it none. */
export const readSenders = ({ get, read }: Settings, serviceName: string): SenderConfig => {
  const readSender = senderReader(serviceName)
  const mailFrom = read('MAIL_FROM', { ...DEFAULT_SENDER, name: serviceName }, readSender)
  return {
    smtpUrl: read('SMTP_URL', null, (text) => {
      readSmtpUrl(text)
      return text
    }),
    smtpAuthority: read('SMTP_CA_FILE', null, readAuthority),
    smtpConnections: read('SMTP_CONNECTIONS', DEFAULT_CONNECTIONS, readConnections),
    mailFrom,
    lettersFrom: read('LETTERS_FROM', mailFrom, readSender),
    replyTo: read('REPLY_TO', null, senderReader('')),
    postalAddress: get('POSTAL_ADDRESS'),
    operatorName: get('OPERATOR_NAME') ?? mailFrom.name,
    contactEmail: read('CONTACT_EMAIL', mailFrom.address, readContact),
    onUnknown: read('ON_UNKNOWN', 'resend', oneOf(ON_UNKNOWN)),
  }
}

/** The service of docker-compose.yml that takes every mail and passes none on. */
const COMPOSE_MAILBOX = 'mailpit'

/** Whether mail reaches other people, and not only a mailbox on this machine. */
export const mailLeaves = ({ smtpUrl }: Pick<SenderConfig, 'smtpUrl'>): boolean =>
  smtpUrl !== null && readSmtpUrl(smtpUrl).host !== COMPOSE_MAILBOX

const readConnections = (text: string): number => {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < 1 || number > MAX_CONNECTIONS)
    throw new Error(`is a whole number from 1 to ${MAX_CONNECTIONS}`)
  return number
}

/** Certificates in PEM, whose line ends may be written as `\\n` as in a file of settings; or the path of a file of them. */
const readAuthority = (text: string): string => {
  const pem = text.includes('-----BEGIN') ? text.replaceAll('\\n', '\n') : readCertificateFile(text)
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  try {
    for (const certificate of certificates) new X509Certificate(certificate)
  } catch {
    throw new Error('holds a certificate that cannot be read')
  }
  if (certificates.length === 0) throw new Error('holds no certificate in PEM')
  return certificates.join('\n')
}

const readCertificateFile = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new Error('is neither a certificate in PEM nor the path of a file that can be read')
  }
}

const readContact = (text: string): string => {
  const read = readAddress(text)
  if ('problem' in read) throw new Error(`is not an address (${read.problem}) Write: privacy@example.org`)
  return read.address
}

const senderReader =
  (serviceName: string) =>
  (text: string): Sender => {
    const [, name = '', inBrackets] = /^(.*?)\s*<([^<>]+)>$/.exec(text) ?? []
    const read = readAddress(inBrackets ?? text)
    if ('problem' in read) throw new Error(`is not a sender (${read.problem}) Write: Paper Round <round@example.org>`)
    if (/[\p{Cc}"<>]/u.test(name))
      throw new Error('the name holds quotes, brackets or control characters; leave them out')
    return { name: name || serviceName, address: read.address }
  }
