// Chooses the reader's time zone where the browser knows it. The form works the same without.
const select = document.querySelector('#timezone')
const zoneOf = (timeZone) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone
  } catch {
    // A name that is newer than the browser's list.
    return null
  }
}
const mine = Intl.DateTimeFormat().resolvedOptions().timeZone
if (select && mine && select.value === 'UTC') {
  const options = [...select.options]
  // Browsers keep old names, such as Asia/Calcutta, for zones that the form lists under their new ones.
  const same =
    options.find((option) => option.value === mine) ??
    (zoneOf(mine) === null ? undefined : options.find((option) => zoneOf(option.value) === zoneOf(mine)))
  if (same) same.selected = true
  else select.add(new Option(mine, mine, true, true))
}
