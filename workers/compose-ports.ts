/** What composing a mail takes of the settings: templates, senders and, where DKIM is configured, a signer for each stream. */
import { createSigner } from '../src/adapters/smtp/dkim.ts'
import { compileMessage } from '../src/adapters/smtp/message.ts'
import { createMailTemplates } from '../src/adapters/templates/mail-templates.ts'
import type { Keys } from '../src/core/token.ts'
import type { ComposePorts } from '../src/newsletter/sending/mail.ts'
import type { Database } from '../src/store/database.ts'
import type { Config } from './config/config.ts'

export const openComposePorts = async ({
  config,
  db,
  keys,
}: {
  config: Config
  db: Database
  keys: Keys
}): Promise<ComposePorts> => {
  const { baseUrl, postalAddress, branding, replyTo, mailFrom, lettersFrom, bounceDomain, dkim, lettersDkim } = config
  const templates = await createMailTemplates({ baseUrl, postalAddress, branding })
  const signers = {
    digests: dkim === null ? null : createSigner(dkim),
    letters: lettersDkim === null ? null : createSigner(lettersDkim),
  }
  return {
    db,
    keys,
    baseUrl,
    mailFrom,
    lettersFrom,
    bounceDomain,
    serviceName: branding.name,
    replyTo,
    renderDigest: templates.renderDigest,
    renderLetter: templates.renderLetter,
    renderAnnouncement: templates.renderAnnouncement,
    // Digests and letters that have the same sender have the same signing domain, too.
    compileMessage: (shared, placeholders) =>
      compileMessage(
        shared,
        placeholders,
        signers[shared.from.address === lettersFrom.address ? 'letters' : 'digests'],
      ),
  }
}
