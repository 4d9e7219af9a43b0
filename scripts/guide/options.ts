/** What may stand behind `make guide-pictures ARGS=`. A picture that cannot be taken is no picture that stays: old ones of a page that has changed would go unseen. */
const USAGE = "allowed: --without-town (leaves town.png and sensors.png as they are), as in: make guide-pictures ARGS=--without-town"

/** `town`: the running one. Result: where town and sensors are taken; null: they are left out, as was asked for. Errors: a sentence for the terminal. */
export function townToPicture<Town>(words: readonly string[], town: Town | null): Town | null {
  const unknown = words.find((word) => word !== '--without-town')
  if (unknown !== undefined) throw new Error(`there is no option '${unknown}'; ${USAGE}`)
  if (words.length > 0) return null
  if (town === null) throw new Error(`no town is running, so town.png and sensors.png cannot be taken: start \`make run\` in another terminal (as root), wait until it stays up, and call this again; ${USAGE}`)
  return town
}
