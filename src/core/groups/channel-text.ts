/** The list of a group as a text for its channel: titles were written by others, so nothing in it calls anybody or opens markup. */
import { longDate } from '../digest/headline.ts'

/** What a paper of the list is, for the channel. */
export interface ChannelPaper {
  title: string
  url: string | null
  reason: string
}

/**
 * Without what chats read as more than a text: `<!channel>` and links of Slack, `@all` of others. Line breaks are ours alone.
 */
const plain = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ')
    .replaceAll('<', '‹')
    .replaceAll('>', '›')
    .replaceAll('@', '＠')

/** `Vision Lab, Wednesday 15 April 2026`, then each paper by its place, title, reason and link. */
export const channelText = (name: string, date: string, papers: readonly ChannelPaper[]): string =>
  [
    `${plain(name)}, ${longDate(date)}`,
    ...papers.map(({ title, url, reason }, n) =>
      [
        `${n + 1}. ${plain(title)}`,
        ...(reason === '' ? [] : [`   ${plain(reason)}`]),
        ...(url === null ? [] : [`   ${url}`]),
      ].join('\n'),
    ),
  ].join('\n\n')
