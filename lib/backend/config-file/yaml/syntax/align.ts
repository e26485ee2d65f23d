/**
 * Sequence alignment: which elements of a list are which of another, such as a
 * list of disks or NICs after a change, where elements came, went and changed.
 */
import { equalJson, isJsonObject, type Json } from '../../../../json/json.ts'

/** Longer lists are not compared each with each: their elements are taken in order. */
const MOST_PAIRS = 250_000

/**
 * Pairs elements in their order, the most similar ones.
 * @returns for each of `now` the place it had in `before`, or -1 for a new one; places that do not appear are gone
 */
export function align(before: readonly Json[], now: readonly Json[]): number[] {
  let start = 0
  while (start < before.length && start < now.length && equalJson(before[start], now[start])) start++
  let end = 0
  while (
    start + end < Math.min(before.length, now.length) &&
    equalJson(before.at(-1 - end), now.at(-1 - end))
  ) {
    end++
  }
  const middle = alignAll(before.slice(start, before.length - end), now.slice(start, now.length - end))
  return [
    ...Array.from({ length: start }, (_, place) => place),
    ...middle.map((place) => (place < 0 ? -1 : start + place)),
    ...Array.from({ length: end }, (_, place) => before.length - end + place),
  ]
}

function alignAll(before: readonly Json[], now: readonly Json[]): number[] {
  if (before.length * now.length > MOST_PAIRS) {
    return now.map((_, place) => (place < before.length ? place : -1))
  }
  const leaves = (value: Json, others: readonly Json[]) =>
    (typeof value !== 'object' || value === null) && others.includes(value)
  // A text that only stands in another place is not what its neighbour became.
  const moves = before.map((one) => leaves(one, now))
  const moved = now.map((one) => leaves(one, before))
  const likeness = now.map((one, place) =>
    before.map((other, was) => ((moved[place] || moves[was]) && one !== other ? 0 : similarity(other, one))),
  )
  const like = (place: number, was: number) => likeness[place]?.[was] ?? 0
  // The best that the first so many of both come to.
  const best = Array.from({ length: now.length + 1 }, () => new Float64Array(before.length + 1))
  const at = (place: number, was: number) => best[place]?.[was] ?? 0
  for (let place = 1; place <= now.length; place++) {
    for (let was = 1; was <= before.length; was++) {
      const paired = at(place - 1, was - 1) + like(place - 1, was - 1)
      ;(best[place] as Float64Array)[was] = Math.max(paired, at(place - 1, was), at(place, was - 1))
    }
  }
  const places = new Array<number>(now.length).fill(-1)
  for (let place = now.length, was = before.length; place > 0 && was > 0; ) {
    const alike = like(place - 1, was - 1)
    if (alike > 0 && at(place, was) === at(place - 1, was - 1) + alike) places[--place] = --was
    else if (at(place, was) === at(place - 1, was)) place--
    else was--
  }
  return places
}

/** From 0 (nothing in common) to 1 (the same). */
function similarity(a: Json, b: Json): number {
  if (equalJson(a, b)) return 1
  if (isJsonObject(a) && isJsonObject(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)])
    let score = 0
    for (const key of keys) {
      if (!Object.hasOwn(a, key) || !Object.hasOwn(b, key)) continue
      score += equalJson(a[key], b[key]) ? 1 : 0.05
    }
    return (0.9 * score) / Math.max(1, keys.size)
  }
  // A size alone may become an object that says it.
  if (isJsonObject(a)) return Object.values(a).some((value) => equalJson(value, b)) ? 0.5 : 0.02
  if (isJsonObject(b)) return Object.values(b).some((value) => equalJson(value, a)) ? 0.5 : 0.02
  return 0.02
}
