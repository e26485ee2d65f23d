/**
 * What is wrong in a file, collected while reading goes on, so that one Failure
 * at the end lists everything with its place.
 */
import { Failure } from '../../../failure.ts'
import type { Json } from '../../../json/json.ts'

/** Where something stands in a file: a key of what stands around it; the outermost place has no `parent`. */
export interface Place {
  readonly parent: Place | null
  readonly key: string | number
}

/** The keys that lead to a place, outermost first. */
export function pathTo(place: Place): (string | number)[] {
  const path: (string | number)[] = []
  for (let at: Place = place; at.parent !== null; at = at.parent) path.push(at.key)
  return path.reverse()
}

/** Something wrong: with the value at a place, or with its key. */
export interface Problem {
  readonly place: Place
  readonly message: string
  readonly with: 'key' | 'value'
}

export class Problems {
  readonly found: Problem[] = []

  constructor(
    /** Whether keys that no reader asks for are problems too. */
    readonly strict: boolean,
  ) {}

  add(place: Place, message: string, kind: 'key' | 'value' = 'value'): void {
    this.found.push({ place, message, with: kind })
  }
}

/** A file with more problems than this has one cause for most of them. */
const MOST_LINES = 50

/**
 * The one error for a file: every problem in a line of its own.
 * @param lines in the order of reading, each starting with its place in the file
 */
export function failureOf(name: string, lines: readonly string[]): Failure {
  // A value that is read twice, first to decide and then for itself, may add its problem twice.
  const different = [...new Set(lines)]
  const shown = different.slice(0, MOST_LINES).map((line) => `${name}: ${line}`)
  const more = different.length - shown.length
  if (more > 0) shown.push(`${name}: and ${more} more ${more === 1 ? 'problem' : 'problems'}`)
  return new Failure('configuration', shown.join('\n'))
}

/** A value of the file inside a message: quoted, without control characters, not too long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

/** Ends a message about a value of a wrong kind: what it is instead, of which no more is shown than a line takes. */
export function andIs(value: Json): string {
  if (typeof value === 'string') return `, and is the text ${quoted(value)}`
  if (typeof value !== 'object' || value === null) return `, and is ${value}`
  return `, and is ${Array.isArray(value) ? 'a list' : 'an object'}`
}

/** Problems, each starting with the keys that lead to its place (`nodes/n1/group: ...`). */
export function linesByPath(problems: Problems): readonly string[] {
  return problems.found.map(({ place, message }) => `${pathTo(place).join('/') || '(top)'}: ${message}`)
}
