/** Time stamps for records that programs read (RFC 3339), in local time with its offset. */

let second = Number.NaN
/** The parts before and after the milliseconds, for that second. */
let before = ''
let after = ''

/**
 * Formats a time: `2026-11-22T04:50:39.082+01:00`.
 * @param time milliseconds since 1970
 */
export function rfc3339(time: number): string {
  const now = Math.floor(time / 1000)
  if (now !== second) {
    second = now
    const offset = -new Date(time).getTimezoneOffset()
    // As if local time were UTC, so that toISOString formats it.
    before = new Date(now * 1000 + offset * 60_000).toISOString().slice(0, -4)
    const minutes = Math.abs(offset)
    after = `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
  }
  return before + String(time - now * 1000).padStart(3, '0') + after
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}
