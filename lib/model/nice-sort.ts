/**
 * Ganeti's natural order: runs of digits compare as numbers (`inst9` before
 * `inst10`), everything between them as text, byte by byte.
 */

/** Gives the objects in natural order of their names; equal keys keep their places. */
export function niceSort<T>(objects: readonly T[], nameOf: (object: T) => string): T[] {
  return objects
    .map((object) => ({ object, key: niceKey(nameOf(object)) }))
    .sort((a, b) => compareKeys(a.key, b.key))
    .map(({ object }) => object)
}

/** Which of two names comes first: negative, 0 or positive, as a sort wants it. */
export function compareNicely(a: string, b: string): number {
  return compareKeys(niceKey(a), niceKey(b))
}

/** Text at even places; runs of digits at odd ones, without the zeros before them. */
type Key = readonly string[]

function niceKey(name: string): Key {
  return name.split(/(\d+)/).map((part, place) => (place % 2 === 1 ? part.replace(/^0+/, '') : part))
}

function compareKeys(a: Key, b: Key): number {
  const length = Math.min(a.length, b.length)
  for (let place = 0; place < length; place++) {
    const x = a[place] as string
    const y = b[place] as string
    if (x === y) continue
    // The longer number is the greater one: to make numbers of long runs would take time in their square.
    if (place % 2 === 1 && x.length !== y.length) return x.length - y.length
    return x < y ? -1 : 1
  }
  return a.length - b.length
}
