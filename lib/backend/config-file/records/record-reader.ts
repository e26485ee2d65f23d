/**
 * Reads an object of a file field by field. A field of a wrong type is noted
 * with its place (see problems.ts), and reading goes on with a default. The
 * same reader serves a `config.data`, which may have keys we do not know (Ganeti
 * grows), and a YAML file, in which an unknown key is a mistake (`strict`).
 *
 * A value that is null counts as absent, as it does in Ganeti.
 */
import { isJsonObject, type Json, type JsonObject } from '../../../json/json.ts'
import type { ParamType, ParamTypes } from '../../../model/defaults.ts'
import { closest } from './did-you-mean.ts'
import { andIs, type Place, type Problems, quoted } from './problems.ts'

/** Shared, so that thousands of objects without any do not each hold their own. */
export const NONE: readonly never[] = []
export const NOTHING = {}

export class RecordReader implements Place {
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
  addProblem(key: string, message: string): void {
    this.problems.add(this.at(key), message)
  }

  /** Text that must be there and not be empty. */
  text(key: string): string {
    if (!this.has(key)) {
      this.problems.add(this, `${key} is missing`, 'key')
      return ''
    }
    const text = this.textOr(key, '')
    if (text === '' && this.value(key) === '') this.addProblem(key, `${key} is empty`)
    return text
  }

  textOr<T>(key: string, otherwise: T): string | T {
    const value = this.value(key)
    if (value === undefined) return otherwise
    const text = this.#textOf(value)
    if (text !== undefined) return text
    this.addProblem(key, this.#notText(key, value))
    return otherwise
  }

  flagOr<T>(key: string, otherwise: T): boolean | T {
    return this.#typed(key, otherwise, flagOf, 'true or false')
  }

  /** A whole number from zero up. */
  countOr<T>(key: string, otherwise: T): number | T {
    return this.#typed(key, otherwise, countOf, 'a whole number')
  }

  numberOr<T>(key: string, otherwise: T): number | T {
    return this.#typed(key, otherwise, finiteOf, 'a number')
  }

  /** MiB; where people write the file, also with a unit (`4g`). */
  sizeOr<T>(key: string, otherwise: T): number | T {
    if (!this.problems.strict) return this.countOr(key, otherwise)
    return this.#typed(key, otherwise, sizeOf, SIZE)
  }

  /** @param read gives undefined for a value of another type */
  #typed<V, T>(key: string, otherwise: T, read: (value: Json) => V | undefined, type: string): V | T {
    const value = this.value(key)
    if (value === undefined) return otherwise
    const typed = read(value)
    if (typed !== undefined) return typed
    this.addProblem(key, `${key} must be ${type}${andIs(value)}`)
    return otherwise
  }

  oneOf<const Choice extends string, T>(key: string, choices: readonly Choice[], otherwise: T): Choice | T {
    const value = this.value(key)
    if (value === undefined) return otherwise
    const choice = choices.find((one) => one === value)
    if (choice !== undefined) return choice
    this.addProblem(key, `${key} must be one of ${choices.join(', ')}${andIs(value)}`)
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
      this.addProblem(key, `${key} must be a list${andIs(value)}`)
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
    this.addProblem(key, `${key} must be a list${andIs(value)}`)
    return NONE
  }

  /** The members of a list of objects; others are noted and left out. */
  items(key: string): readonly RecordReader[] {
    const values = this.list(key)
    if (values.length === 0) return NONE
    const items: RecordReader[] = []
    const list = this.at(key)
    values.forEach((value, index) => {
      if (isJsonObject(value)) items.push(new RecordReader(value, list, index, this.problems))
      else this.problems.add({ parent: list, key: index }, `each of ${key} must be an object${andIs(value)}`)
    })
    return items
  }

  /** What stands below a key: an object, empty where it is absent. */
  child(key: string): RecordReader {
    const value = this.value(key)
    if (isJsonObject(value)) return new RecordReader(value, this, key, this.problems)
    if (value !== undefined) this.addProblem(key, `${key} must be an object${andIs(value)}`)
    return new RecordReader(NOTHING, this, key, this.problems)
  }

  /** The members of an object of objects, by their keys; null is an object without any. */
  *children(): Generator<NamedRecord> {
    for (const key of this.keys()) yield this.child(key) as NamedRecord
  }

  /** As `children`, but in a strict file no names but these may stand there. */
  *childrenNamed(names: readonly string[]): Generator<NamedRecord> {
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
    if (this.problems.strict) this.rejectUnknownKeys(Object.keys(types))
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
    this.addProblem(key, `${key} must be a single value${andIs(value)}`)
    return undefined
  }

  /**
   * To be called when everything has been read: in a strict file, the keys that
   * have not been asked for are problems.
   * @param known what else may stand here, for the hint at a misspelt key
   */
  rejectUnknownKeys(known: Iterable<string> = NONE): void {
    if (!this.#asked) return
    const good = new Set([...this.#asked, ...known])
    for (const key of this.keys()) {
      if (!good.has(key)) this.#unknown(key, good)
    }
  }

  /**
   * As `rejectUnknownKeys`, for an object of which these are all keys that it may have in any case.
   * @throws Error where another was asked for, which is a fault of the reader's
   */
  rejectUnknownKeysOf(keys: ReadonlySet<string>): void {
    for (const key of this.#asked ?? NONE) {
      if (!keys.has(key)) throw new Error(`the key ${key} is missing in the table of keys`)
    }
    this.rejectUnknownKeys()
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
}

const SIZE = 'a size, which is MiB, or a number with a unit (512m, 4g, 1t)'

function flagOf(value: Json): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

function countOf(value: Json): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function finiteOf(value: Json): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function sizeOf(value: Json): number | undefined {
  return typeof value === 'string' ? parseSize(value) : countOf(value)
}

/** A member of an object of objects, whose key is its name. */
export type NamedRecord = RecordReader & { readonly key: string }

/** What can stand in a host's name, and so in a URL of the API. */
const HOST_NAME = /^[A-Za-z0-9_][\w.-]*$/

/** Notes a problem with the name of a node or an instance that cannot be one. */
export function checkHostName(fields: NamedRecord): void {
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
