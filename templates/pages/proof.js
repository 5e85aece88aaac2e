// Solves the challenge of a request that waits, and sends the solution, so that the email comes now. Without it, or over
// plain http, where browsers offer no WebCrypto, the email comes later.
const form = document.querySelector('#proof')
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g), (two) => Number.parseInt(two, 16))
const hexOf = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')

const solve = async ({ algorithm, nonce, salt, cost, keyLength, keyPrefix }) => {
  const hash = algorithm.slice('PBKDF2/'.length)
  const password = new Uint8Array([...bytesOf(nonce), 0, 0, 0, 0])
  const count = new DataView(password.buffer, password.length - 4)
  for (let counter = 0; ; counter++) {
    count.setUint32(0, counter)
    const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
    const derivation = { name: 'PBKDF2', salt: bytesOf(salt), iterations: cost, hash }
    const derivedKey = hexOf(new Uint8Array(await crypto.subtle.deriveBits(derivation, key, keyLength * 8)))
    if (derivedKey.startsWith(keyPrefix)) return { counter, derivedKey }
  }
}

if (form && globalThis.crypto?.subtle) {
  form.querySelector('p').hidden = false
  const challenge = JSON.parse(form.dataset.challenge)
  const solution = await solve(challenge.parameters)
  form.elements.proof.value = btoa(JSON.stringify({ challenge, solution }))
  form.submit()
}
