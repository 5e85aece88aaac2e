/** Headers by which mail clients and providers know our mail: that it is automatic, and how to leave the list. */

/** Keeps automatic replies away (RFC 3834; the second is Microsoft's). */
export const AUTOMATIC_MAIL_HEADERS = { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' }

/**
 * RFC 8058 (one-click), RFC 2919 (List-Id), and Gmail's Feedback-ID: date, frequency, stream and sender, by which its
 * complaints are counted, so that nothing in it is one subscriber's own (https://support.google.com/a/answer/6254652).
 */
export const listHeaders = (
  digest: { kind: string; localDate: string },
  domain: string,
  unsubscribeUrl: string,
): Record<string, string> => ({
  'List-Id': `Paper Round <digest.${domain}>`,
  'List-Unsubscribe': `<${unsubscribeUrl}>`,
  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  'Feedback-ID': `${digest.localDate.replaceAll('-', '')}:${digest.kind}:digest:paper-round`,
})
