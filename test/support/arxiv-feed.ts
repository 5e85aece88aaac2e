/** Made-up answers of arXiv: the feed of a batch, and the API's answer to a list of ids. */

export interface MadeUpEntry {
  id: string
  type?: string
  version?: number
  title?: string
  abstract?: string
  creators?: string
  categories?: string[]
}

/** The five characters that mean something in XML, as references. */
export const escapeXml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')

const termsOf = (categories: string[]): string =>
  categories.map((term) => `<category term="${escapeXml(term)}"/>`).join('')

/** A day's feed as `rss.arxiv.org/atom/…` gives it. */
export const feedOf = (day: string, entries: MadeUpEntry[], offset = '-04:00'): string =>
  `<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns="http://www.w3.org/2005/Atom" xml:lang="en-us">
  <id>http://rss.arxiv.org/atom/cs.CL</id>
  <title>cs.CL updates on arXiv.org</title>
  <updated>${day}T04:00:19.866337+00:00</updated>
${entries
  .map(
    ({
      id,
      type = 'new',
      version = 1,
      title = `Paper ${id}`,
      abstract = 'About it.',
      creators = 'Ada Byron',
      categories = ['cs.CL'],
    }) => `  <entry>
    <id>oai:arXiv.org:${id}v${version}</id>
    <title>${escapeXml(title)}</title>
    <updated>${day}T04:00:19.899254+00:00</updated>
    <link href="https://arxiv.org/abs/${id}" rel="alternate" type="text/html"/>
    <summary>arXiv:${id}v${version} Announce Type: ${type} \nAbstract: ${escapeXml(abstract)}</summary>
    ${termsOf(categories)}
    <published>${day}T00:00:00${offset}</published>
    <arxiv:announce_type>${type}</arxiv:announce_type>
    <dc:rights>http://creativecommons.org/licenses/by/4.0/</dc:rights>
    <dc:creator>${escapeXml(creators)}</dc:creator>
  </entry>`,
  )
  .join('\n')}
</feed>`

/** What `export.arxiv.org/api/query?id_list=…` answers. */
export const queryAnswerOf = (papers: { id: string; categories: string[] }[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">
  <title type="html">ArXiv Query</title>
${papers
  .map(
    ({ id, categories }) => `  <entry><id>http://arxiv.org/abs/${id}v2</id><title>Paper ${id}</title>
    <arxiv:primary_category term="${categories[0] ?? ''}"/>${termsOf(categories.toSorted())}</entry>`,
  )
  .join('\n')}
</feed>`
