/** Asking for more or less like a paper by the links of a digest. */
import type { Direction } from '../core/taste/taste.ts'
import { type LinkState, paperLinkRoutes } from './paper-links.ts'
import type { App, Site } from './site.ts'

const WHERE = '“What you seem to like” is under “Your pages and feed” in your settings, which every email links to.'

const BUTTONS: Record<Direction, string> = { more: 'More like this', less: 'Less like this' }

const statesOf = (direction: Direction): Record<string, LinkState> => {
  const first = direction === 'more' ? 'earlier' : 'later'
  const open = `Papers like this one come ${first} in your digests then. Your topics and settings stay as they are.`
  return {
    open: { heading: `${BUTTONS[direction]}?`, sentence: open },
    learnt: {
      heading: direction === 'more' ? 'You’ll see more like this' : 'You’ll see less like this',
      sentence: ({ about = [] }) =>
        [about.length > 0 && `You will see ${direction} about ${about.join(' and ')}.`, WHERE]
          .filter(Boolean)
          .join(' '),
      done: true,
    },
    noted: {
      heading: 'Noted',
      sentence: `Your digests don’t use it now, since that is turned off. ${WHERE}`,
      done: true,
    },
    known: { heading: 'You’ve said so already', sentence: WHERE, done: true },
    'taken back': { heading: 'Taken back', sentence: open },
    none: { heading: 'Nothing to take back', sentence: open },
  }
}

const REFUSALS = {
  'no paper': {
    status: 404,
    heading: 'No such paper',
    sentence: 'We show no paper with this id, or show it no more, so nothing is learned from it. Nothing was changed.',
  },
  'not subscribed': {
    status: 409,
    heading: 'You’re not subscribed',
    sentence:
      'Only the digests of subscribers learn, and this link’s subscription has ended. Subscribe again, and it works again.',
  },
  'too many': {
    status: 429,
    heading: 'No more papers today',
    sentence: 'You’ve said this of 200 papers within 24 hours, the most we take. This one was not counted.',
  },
}

export const tasteLinkRoutes = (app: App, site: Pick<Site, 'tastes' | 'pages'>): void => {
  const { readPaper, press, takeBack } = site.tastes
  for (const direction of ['more', 'less'] as const)
    paperLinkRoutes(app, site, {
      path: direction,
      button: BUTTONS[direction],
      undo: 'Undo',
      states: statesOf(direction),
      refusals: REFUSALS,
      read: readPaper,
      press: (token, paperId) => press(token, paperId, direction),
      takeBack,
    })
}
