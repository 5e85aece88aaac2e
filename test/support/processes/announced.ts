/** Where a started service says that it is: by a line of JSON, or by the lines of versions before. */
export const announcedIn = (output: string): { site: string; mailbox: string } => {
  const find = (name: string) => new RegExp(`"${name}":"([^"]+)"|^ {2}${name} +(\\S+)`, 'm').exec(output)
  const [, site = '', plainSite = ''] = find('site') ?? []
  const [, mailbox = '', plainMailbox = ''] = find('mailbox') ?? []
  return { site: site || plainSite, mailbox: mailbox || plainMailbox }
}
