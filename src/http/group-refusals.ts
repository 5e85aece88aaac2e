/** What is said where nothing came of something that was asked of a group. */
import { MOST_GROUPS, MOST_MADE_A_DAY, MOST_MEMBERS } from '../core/groups/group-limits.ts'
import type { GroupRefusal } from '../newsletter/groups.ts'
import type { ErrorPage } from './errors.ts'

export const GROUP_REFUSALS: Readonly<Record<GroupRefusal, ErrorPage>> = {
  'no group': {
    status: 404,
    heading: 'No such group',
    sentence: 'You’re in no such group: it has ended, you’ve left it, or its link was renewed. Nothing was changed.',
  },
  'not subscribed': {
    status: 409,
    heading: 'You’re not subscribed',
    sentence:
      'Only subscribers are in groups, and this link’s subscription has ended. Subscribe again, and it works again.',
  },
  'not yours': {
    status: 403,
    heading: 'This group is another member’s',
    sentence: 'Only the member who made a group, or to whom it was handed over, can change it. Nothing was changed.',
  },
  full: {
    status: 409,
    heading: 'This group is full',
    sentence: `It has ${MOST_MEMBERS} members, the most it can have. Nothing was changed.`,
  },
  'too many': {
    status: 409,
    heading: 'No more groups for now',
    sentence: `You can be in ${MOST_GROUPS} groups, and make ${MOST_MADE_A_DAY} within 24 hours. Leave one, or try again tomorrow.`,
  },
  'no member': {
    status: 409,
    heading: 'They’re no member',
    sentence: 'They’ve left the group meanwhile, or aren’t subscribed. Nothing was changed.',
  },
}
