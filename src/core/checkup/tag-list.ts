/** Reads lists of `tag=value` separated by semicolons: DKIM keys and DMARC policies (RFC 6376 3.2). */

/** The tags in lower case with their values, or `null` where the text is no such list or has a tag twice. */
export const readTagList = (text: string): Map<string, string> | null => {
  const tags = new Map<string, string>()
  for (const part of text.replace(/;\s*$/, '').split(';')) {
    const [, tag = '', value = ''] = /^\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/s.exec(part) ?? []
    if (tag === '' || tags.has(tag.toLowerCase())) return null
    tags.set(tag.toLowerCase(), value)
  }
  return tags
}
