/** Numbers, sizes and times as people read them. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const dateTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
const timeOfDay = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

export function count(value: number): string {
  return whole.format(value)
}

/** `1 node`, `3 nodes`. */
export function counted(value: number, noun: string): string {
  return `${whole.format(value)} ${noun}${value === 1 ? '' : 's'}`
}

/** A size in MiB, as Ganeti has all sizes, in the unit that suits it. */
export function size(mebibytes: number | null | undefined): string {
  if (mebibytes === null || mebibytes === undefined) return '–'
  if (mebibytes === 0) return '0'
  const units = ['MiB', 'GiB', 'TiB', 'PiB']
  let value = mebibytes
  let unit = 0
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${(Math.abs(value) < 100 ? tenths : whole).format(value)} ${units[unit]}`
}

export function percent(part: number, total: number): string {
  return total > 0 ? `${whole.format((100 * part) / total)} %` : '–'
}

/** A time of Ganeti: seconds and microseconds, or seconds alone. */
export type Timestamp = readonly [seconds: number, microseconds: number] | number | null | undefined

/** Milliseconds since the epoch. */
export function timeOf(timestamp: Timestamp): number | undefined {
  if (timestamp === null || timestamp === undefined) return undefined
  return typeof timestamp === 'number' ? timestamp * 1000 : timestamp[0] * 1000 + timestamp[1] / 1000
}

export function date(milliseconds: number): string {
  return dateTime.format(milliseconds)
}

export function clock(milliseconds: number): string {
  return timeOfDay.format(milliseconds)
}

/** `5 s`, `3 min`, `2 h 5 min`, `4 d`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return '< 1 s'
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 > 0 ? `${hours} h ${minutes % 60} min` : `${hours} h`
  return `${Math.floor(hours / 24)} d`
}

export function ago(milliseconds: number, now = Date.now()): string {
  return now - milliseconds < 2000 ? 'just now' : `${duration(now - milliseconds)} ago`
}
