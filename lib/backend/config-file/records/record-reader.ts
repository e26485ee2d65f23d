/**
 * Reading with all complaints at once: whatever is wrong in a file is noted
 * with its place, reading goes on with a stand-in, and one Failure at the end
 * lists everything. The same `Fields` read a `config.data`, which may have keys
 * we do not know (Ganeti grows), and a YAML file, in which such a key is a slip
 * of the pen (`strict`).
 *
 * A value that is null counts as absent, as it does in Ganeti.
 */
import { Failure } from '../../../failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../json.ts'
import type { ParamType, ParamTypes } from '../../../model/defaults.ts'

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
    /** Whether keys nobody asked for are problems too. */
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
  // What is read twice, first to decide and then for itself, may be complained of twice.
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

/** Shared, so that thousands of objects without any do not each hold their own. */
export const NONE: readonly never[] = []
export const NOTHING = {}

export class Fields implements Place {
  readonly parent: Place | null
  readonly key: string | number
  readonly problems: Problems
  readonly #values: JsonObject
  /** The keys that have been asked for; only kept where the others are problems. */
  readonly #asked: Set<string> | undefined

  constructor(values: JsonObject, parent: Place | null, key: string | number, problems: Problems) {
    this.#values = values
    this.parent = parent
    this.key = key
    this.problems = problems
    this.#asked = problems.strict ? new Set() : undefined
  }

  /** Where the value of a key stands. */
  at(key: string): Place {
    return { parent: this, key }
  }

  /** The value of a key, undefined where it is absent or null. (What objects inherit is of no type a file can have.) */
  value(key: string): Json | undefined {
    this.#asked?.add(key)
    return this.#values[key] ?? undefined
  }

  has(key: string): boolean {
    return this.value(key) !== undefined
  }

  keys(): readonly string[] {
    return Object.keys(this.#values)
  }

  /** Notes a problem with the value of a key. */
  complain(key: string, message: string): void {
    this.problems.add(this.at(key), message)
  }

  /** Text that must be there and not be empty. */
  text(key: string): string {
    if (!this.has(key)) {
      this.problems.add(this, `${key} is missing`, 'key')
      return ''
    }
    const text = this.textOr(key, '')
    if (text === '' && this.value(key) === '') this.complain(key, `${key} is empty`)
    return text
  }

  textOr<T>(key: string, otherwise: T): string | T {
    const value = this.value(key)
    if (value === undefined) return otherwise
    const text = this.#textOf(value)
    if (text !== undefined) return text
    this.complain(key, this.#notText(key, value))
    return otherwise
  }

  flagOr<T>(key: string, otherwise: T): boolean | T {
    const value = this.value(key)
    if (value === undefined) return otherwise
    if (typeof value === 'boolean') return value
    this.complain(key, `${key} must be true or false${andIs(value)}`)
    return otherwise
  }

  /** A whole number from zero up. */
  countOr<T>(key: string, otherwise: T): number | T {
    const value = this.value(key)
    if (value === undefined) return otherwise
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    this.complain(key, `${key} must be a whole number${andIs(value)}`)
    return otherwise
  }

  numberOr<T>(key: string, otherwise: T): number | T {
    const value = this.value(key)
    if (value === undefined) return otherwise
    if (typeof value === 'number' && Number.isFinite(value)) return value
    this.complain(key, `${key} must be a number${andIs(value)}`)
    return otherwise
  }

  /** MiB; where people write the file, also with a unit (`4g`). */
  sizeOr<T>(key: string, otherwise: T): number | T {
    const value = this.value(key)
    if (value === undefined) return otherwise
    const size = this.#sizeOf(value)
    if (size !== undefined) return size
    this.complain(key, this.#notASize(key, value))
    return otherwise
  }

  oneOf<const Choice extends string, T>(key: string, choices: readonly Choice[], otherwise: T): Choice | T {
    const value = this.value(key)
    if (value === undefined) return otherwise
    const choice = choices.find((one) => one === value)
    if (choice !== undefined) return choice
    this.complain(key, `${key} must be one of ${choices.join(', ')}${andIs(value)}`)
    return otherwise
  }

  /**
   * A list of text.
   * @param faultOf what is wrong with one of them, if anything
   */
  texts(
    key: string,
    otherwise: readonly string[] = NONE,
    faultOf: (text: string) => string | undefined = () => undefined,
  ): readonly string[] {
    const value = this.value(key)
    if (value === undefined) return otherwise
    if (!Array.isArray(value)) {
      this.complain(key, `${key} must be a list${andIs(value)}`)
      return otherwise
    }
    if (value.length === 0) return NONE
    const texts: string[] = []
    value.forEach((item: Json, index: number) => {
      const text = this.#textOf(item)
      const fault = text === undefined ? this.#notText(`each of ${key}`, item) : faultOf(text)
      if (fault !== undefined) this.problems.add({ parent: this.at(key), key: index }, fault)
      else if (text !== undefined) texts.push(text)
    })
    return texts
  }

  /** The values of a list; an absent one has none. */
  list(key: string): readonly Json[] {
    const value = this.value(key)
    if (value === undefined) return NONE
    if (Array.isArray(value)) return value
    this.complain(key, `${key} must be a list${andIs(value)}`)
    return NONE
  }

  /** The members of a list of objects; others are noted and left out. */
  items(key: string): readonly Fields[] {
    const values = this.list(key)
    if (values.length === 0) return NONE
    const items: Fields[] = []
    const list = this.at(key)
    values.forEach((value, index) => {
      if (isJsonObject(value)) items.push(new Fields(value, list, index, this.problems))
      else this.problems.add({ parent: list, key: index }, `each of ${key} must be an object${andIs(value)}`)
    })
    return items
  }

  /** What stands below a key: an object, empty where it is absent. */
  child(key: string): Fields {
    const value = this.value(key)
    if (isJsonObject(value)) return new Fields(value, this, key, this.problems)
    if (value !== undefined) this.complain(key, `${key} must be an object${andIs(value)}`)
    return new Fields(NOTHING, this, key, this.problems)
  }

  /** The members of an object of objects, by their keys; null is an object without any. */
  *children(): Generator<NamedFields> {
    for (const key of this.keys()) yield this.child(key) as NamedFields
  }

  /** As `children`, but in a strict file no names but these may stand there. */
  *childrenNamed(names: readonly string[]): Generator<NamedFields> {
    for (const child of this.children()) {
      if (!this.problems.strict || names.includes(child.key)) yield child
      else this.#unknown(child.key, names)
    }
  }

  /** Whatever stands there, unread. */
  json(key: string, otherwise: Json): Json {
    return this.value(key) ?? otherwise
  }

  /**
   * Values of known types, each of them optional. In a strict file other
   * names are problems; else they are left out, or kept where `others` is.
   */
  params(types: ParamTypes, others: 'drop' | 'keep' = 'drop'): JsonObject {
    const keys = this.keys()
    if (keys.length === 0) return NOTHING
    const params: { [name: string]: Json } = {}
    for (const key of keys) {
      const type = Object.hasOwn(types, key) ? types[key] : undefined
      if (type === undefined && (others === 'drop' || this.problems.strict)) continue
      const value = this.#param(key, type)
      if (value !== undefined) params[key] = value
    }
    if (this.problems.strict) this.done(Object.keys(types))
    return params
  }

  /** One such value; without a type anything that is neither list nor object. Here null may mean something. */
  #param(key: string, type: ParamType | undefined): Json | undefined {
    const value = this.value(key)
    if (value === undefined) return type === undefined || type === 'maybe-string' ? null : undefined
    switch (type) {
      case 'bool':
        return this.flagOr(key, undefined)
      case 'float':
        return this.numberOr(key, undefined)
      case 'int':
        return this.countOr(key, undefined)
      case 'size':
        return this.sizeOr(key, undefined)
      case 'string':
      case 'maybe-string':
        return this.textOr(key, undefined)
    }
    if (typeof value !== 'object') return value
    this.complain(key, `${key} must be a single value${andIs(value)}`)
    return undefined
  }

  /**
   * Says that everything has been read: in a strict file, the keys that nobody
   * asked for are problems.
   * @param known what else may stand here, for the hint at a misspelt key
   */
  done(known: Iterable<string> = NONE): void {
    if (!this.#asked) return
    const good = new Set([...this.#asked, ...known])
    for (const key of this.keys()) {
      if (!good.has(key)) this.#unknown(key, good)
    }
  }

  /**
   * As `done`, for an object of which these are all keys that it may have in any case.
   * @throws Error where another was asked for, which is a fault of the reader's
   */
  doneOf(keys: ReadonlySet<string>): void {
    for (const key of this.#asked ?? NONE) {
      if (!keys.has(key)) throw new Error(`the key ${key} is missing in the table of keys`)
    }
    this.done()
  }

  #unknown(key: string, known: Iterable<string>): void {
    const meant = closest(key, known)
    const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
    this.problems.add(this.at(key), `unknown key ${quoted(key)}${hint}`, 'key')
  }

  #textOf(value: Json): string | undefined {
    if (typeof value === 'string') return value
    // A person writes `vlan: 100` or a tag 2024. Other numbers may have been written in another way (1.10).
    if (this.problems.strict && typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
    return undefined
  }

  #notText(what: string, value: Json): string {
    const quotable = this.problems.strict && typeof value !== 'object'
    return `${what} must be text${andIs(value)}${quotable ? ': put it in quotes' : ''}`
  }

  #sizeOf(value: Json): number | undefined {
    if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined
    return this.problems.strict && typeof value === 'string' ? parseSize(value) : undefined
  }

  #notASize(key: string, value: Json): string {
    if (!this.problems.strict) return `${key} must be a whole number${andIs(value)}`
    return `${key} must be a size, which is MiB, or a number with a unit (512m, 4g, 1t)${andIs(value)}`
  }
}

/** A member of an object of objects, whose key is its name. */
export type NamedFields = Fields & { readonly key: string }

/** What can stand in a host's name, and so in a URL of the API. */
const HOST_NAME = /^[A-Za-z0-9_][\w.-]*$/

/** Notes a problem with the name of a node or an instance that cannot be one. */
export function checkHostName(fields: NamedFields): void {
  if (HOST_NAME.test(fields.key)) return
  fields.problems.add(fields, `${quoted(fields.key)} cannot be the name of a host`, 'key')
}

const UNITS: { readonly [unit: string]: number } = { m: 1, g: 1024, t: 1024 * 1024 }

/** Reads a size as the gnt-* tools take it (`512`, `512M`, `1.5 GiB`), in MiB, rounded up; undefined where it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([mgt])(?:i?b)?)?$/i.exec(text.trim())
  if (!match) return undefined
  const size = Math.ceil(Number(match[1]) * (UNITS[(match[2] ?? 'm').toLowerCase()] as number))
  return Number.isSafeInteger(size) ? size : undefined
}

/** The name a misspelt one is most likely to be, if any is near. */
export function closest(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), least)
    if (distance < least) {
      best = candidate
      least = distance
    }
  }
  return best
}

/** How many letters must be put in, taken out, changed or swapped with the next, as far as that is below `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit || a.length > 100) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let distance = Math.min(
        (last[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (last[column - 1] as number) + (same ? 0 : 1),
      )
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (row > 1 && column > 1 && swapped)
        distance = Math.min(distance, (beforeLast[column - 2] as number) + 1)
      current.push(distance)
    }
    beforeLast = last
    last = current
  }
  return last[b.length] as number
}
