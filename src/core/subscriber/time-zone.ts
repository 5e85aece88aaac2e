/** Time zones by their IANA names: reading one, and the list that a form offers. */

/**
 * Names that have changed since the runtime's own list was made; it knows both and answers with the old one.
 * https://data.iana.org/time-zones/tzdb/backward
 */
const NAMES_OF_TODAY: Record<string, string> = {
  'Africa/Asmera': 'Africa/Asmara',
  'America/Buenos_Aires': 'America/Argentina/Buenos_Aires',
  'America/Catamarca': 'America/Argentina/Catamarca',
  'America/Coral_Harbour': 'America/Atikokan',
  'America/Cordoba': 'America/Argentina/Cordoba',
  'America/Godthab': 'America/Nuuk',
  'America/Indianapolis': 'America/Indiana/Indianapolis',
  'America/Jujuy': 'America/Argentina/Jujuy',
  'America/Louisville': 'America/Kentucky/Louisville',
  'America/Mendoza': 'America/Argentina/Mendoza',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Asia/Saigon': 'Asia/Ho_Chi_Minh',
  'Atlantic/Faeroe': 'Atlantic/Faroe',
  'Europe/Kiev': 'Europe/Kyiv',
  'Pacific/Enderbury': 'Pacific/Kanton',
  'Pacific/Ponape': 'Pacific/Pohnpei',
  'Pacific/Truk': 'Pacific/Chuuk',
}

/**
 * The zone that a text names, in the spelling of today (`asia/calcutta` is `Asia/Kolkata`), or `null`. A bare offset
 * such as `+05:30` is no zone: it does not know when its clocks change.
 */
export const readTimeZone = (text: string): string | null => {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/.test(text)) return null
  const known = zonesBySpelling.get(text)
  if (known !== undefined) return known
  const zone = lookUpZone(text)
  if (zonesBySpelling.size >= MOST_CACHED) zonesBySpelling.clear()
  zonesBySpelling.set(text, zone)
  return zone
}

/** The zone by which a subscriber with this zone is served: UTC where this runtime does not know it (any more). */
export const servedZone = (timeZone: string): string => readTimeZone(timeZone) ?? 'UTC'

/** Looking a zone up costs more than all else that is read of a form; when the cache holds so many it is emptied. */
const MOST_CACHED = 1_000
const zonesBySpelling = new Map<string, string | null>()

const lookUpZone = (text: string): string | null => {
  try {
    const zone = new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone
    return NAMES_OF_TODAY[zone] ?? zone
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** `America/Argentina/Buenos_Aires` as people say it: "Buenos Aires". */
export const placeOf = (timeZone: string): string => timeZone.split('/').at(-1)?.replaceAll('_', ' ') ?? timeZone

/** Every zone a form offers, by region, both in alphabetical order; UTC stands apart. */
export const TIME_ZONES: { region: string; zones: { name: string; place: string }[] }[] = [
  ...Map.groupBy(
    Intl.supportedValuesOf('timeZone').map((zone) => NAMES_OF_TODAY[zone] ?? zone),
    (zone) => zone.split('/')[0] ?? zone,
  ),
].map(([region, zones]) => ({
  region,
  zones: zones.map((name) => ({ name, place: placeOf(name) })).sort((a, b) => (a.place < b.place ? -1 : 1)),
}))
