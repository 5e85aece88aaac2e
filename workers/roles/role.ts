/** The roles that a process may have. */
export const ROLES = ['api', 'scheduler', 'mailer', 'maintain', 'bounces'] as const
export type Role = (typeof ROLES)[number]
