/** What other sites are told of a page when somebody shares a link to it: Open Graph metadata (https://ogp.me). */

import { cutAtWord } from '../core/text/text.ts'

/** Characters of a description: no site shows more. */
const MAX_DESCRIPTION = 160

/** As `layout` writes it. */
export interface ShareMeta {
  type: 'website' | 'article'
  title: string
  description: string
  /** The URL of the picture, with the whole address of the site: whoever fetches it is elsewhere. */
  image: string
}

/** The path of the picture of a page that is at a path of its own, such as `/topics/agents`. */
export const imagePath = (path: string): string => (path === '/' ? '/share.png' : `${path}.png`)

export const shareMeta = (
  baseUrl: string,
  path: string,
  { type = 'website', title, description }: { type?: ShareMeta['type']; title: string; description: string },
): ShareMeta => ({
  type,
  title,
  description: cutAtWord(description, MAX_DESCRIPTION),
  image: baseUrl + imagePath(path),
})
