/** Ids of rows as they come from outside: Postgres refuses a query for a text that is none, instead of finding nothing. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export const isUuid = (text: string): boolean => UUID.test(text)
