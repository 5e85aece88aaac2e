/** The time zones that a form offers: some four hundred options, written once and not for each page. */
import { TIME_ZONES } from '../../core/subscriber/time-zone.ts'
import { escapeHtml } from './mail-text.ts'

const optionOf = (zone: string, place: string): string =>
  `<option value="${escapeHtml(zone)}">${escapeHtml(place)}</option>`

const OPTIONS = [
  `    ${optionOf('UTC', 'UTC')}`,
  ...TIME_ZONES.flatMap(({ region, zones }) => [
    `    <optgroup label="${escapeHtml(region)}">`,
    ...zones.map(({ name, place }) => `      ${optionOf(name, place)}`),
    '    </optgroup>',
  ]),
].join('\n')

/** The options as HTML, one of them chosen; none is where the zone is not among them. `raw` in the template keeps them from being escaped. */
export const zoneOptions = (chosen: string): string =>
  OPTIONS.replace(`<option value="${escapeHtml(chosen)}">`, (option) => `${option.slice(0, -1)} selected>`)
