/** Who runs this installation and what it keeps of readers: the privacy page, and the imprint where there is one. */
import { makePublic } from './guard.ts'
import { type App, type PublicSite, show } from './site.ts'

/** Deliveries go by the month, and what is due is looked for once a day. */
const MONTH = 31

/** `28 days`, `3 years`: in years where that is exact. */
const inWords = (days: number): string => {
  const years = days / 365
  const [count, unit] = Number.isInteger(years) ? [years, 'year'] : [days, 'day']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

export const privacyRoutes = (app: App, { pages, privacy, hasImprint, baseUrl }: PublicSite): void => {
  const { retention, keepDeliveries, ...who } = privacy
  const view = {
    here: '/privacy',
    canonical: `${baseUrl}/privacy`,
    ...who,
    keep: {
      unconfirmed: inWords(retention.unconfirmed),
      leavers: inWords(retention.leavers),
      consent: inWords(retention.consent),
      clients: inWords(retention.clients),
      mails: `${inWords(keepDeliveries)} to ${inWords(keepDeliveries + MONTH)}`,
    },
  }
  app.get('/privacy', async (_, reply) => show(makePublic(reply), pages, 'privacy', view))
  if (hasImprint)
    app.get('/imprint', async (_, reply) =>
      show(makePublic(reply), pages, 'imprint', { here: '/imprint', canonical: `${baseUrl}/imprint` }),
    )
}
