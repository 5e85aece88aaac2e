/** Saving a paper to one's reading list by the link of a digest. */
import { type LinkState, paperLinkRoutes } from './paper-links.ts'
import type { App, Site } from './site.ts'

const WHERE = 'Your reading list is under “Your pages and feed” in your settings, which every email links to.'

const STATES: Record<string, LinkState> = {
  open: { heading: 'Save this paper?', sentence: 'It is kept in your reading list, which only you see.' },
  saved: { heading: 'Saved', sentence: WHERE, done: true },
  kept: { heading: 'Already in your reading list', sentence: WHERE, done: true },
  removed: { heading: 'Removed from your reading list', sentence: 'Save it again at any time.' },
  none: { heading: 'Not in your reading list', sentence: 'It is kept in your reading list, which only you see.' },
}

/** Why a paper is not saved, by link or in the list itself. */
export const SAVE_REFUSALS = {
  'no paper': {
    status: 404,
    heading: 'No such paper',
    sentence: 'We show no paper with this id, or show it no more, so it can’t be saved. Nothing was changed.',
  },
  'not subscribed': {
    status: 409,
    heading: 'You’re not subscribed',
    sentence:
      'Only subscribers save papers, and this link’s subscription has ended. Subscribe again, and it works again.',
  },
  'too many': {
    status: 429,
    heading: 'No more papers today',
    sentence: 'You’ve saved 200 papers within 24 hours, the most we take. This one was not saved.',
  },
  full: {
    status: 409,
    heading: 'Your reading list is full',
    sentence: 'It has 10,000 papers, the most it can have. Remove some, and this one can be saved.',
  },
}

export const savedPaperRoutes = (app: App, site: Pick<Site, 'savedPapers' | 'pages'>): void => {
  const { read, save, remove } = site.savedPapers
  paperLinkRoutes(app, site, {
    path: 'save',
    button: 'Save',
    undo: 'Remove',
    states: STATES,
    refusals: SAVE_REFUSALS,
    read,
    press: save,
    takeBack: remove,
  })
}
