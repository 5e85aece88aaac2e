/** How many groups and members there may be: enough for any lab, and nothing for whoever wants to reach strangers. */

/** Members of a group who are subscribed. */
export const MOST_MEMBERS = 200

/** Groups that one reader is in: each adds a section to a digest. */
export const MOST_GROUPS = 5

/** Groups that one reader makes in 24 hours, of those that still are. */
export const MOST_MADE_A_DAY = 3
