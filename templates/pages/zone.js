// Chooses the reader's time zone where the browser knows it. The form works the same without.
const field = document.querySelector('#timezone')
const zoneOf = (timeZone) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone
  } catch {
    // A name that is newer than the browser's list.
    return null
  }
}
const mine = Intl.DateTimeFormat().resolvedOptions().timeZone
if (field?.type === 'hidden') field.value = mine ?? ''
else if (field && mine && field.value === 'UTC') {
  const options = [...field.options]
  // Browsers keep old names, such as Asia/Calcutta, for zones that the form lists under their new ones.
  const same =
    options.find((option) => option.value === mine) ??
    (zoneOf(mine) === null ? undefined : options.find((option) => zoneOf(option.value) === zoneOf(mine)))
  if (same) same.selected = true
  else field.add(new Option(mine, mine, true, true))
}
