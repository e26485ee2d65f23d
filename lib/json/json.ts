/**
 * JSON with exact integers: those that JavaScript's numbers cannot hold (such
 * as Ganeti's time stamps in nanoseconds) become bigints; everything else is
 * JSON.parse and JSON.stringify.
 */
import { randomUUID } from 'node:crypto'

/** A JSON value; arrays and objects are never changed once made. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json }

/** Whether a JSON value is an object (neither a list nor null). */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Marks a string as a long integer, between replacing and parsing; random, so that no client can know it. */
const MARK = `${randomUUID()}:`
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g')

/** The limit of Python's int(): the time for more digits grows with the square of their number. */
const MOST_DIGITS = 4300

/** Whether a text may contain a long integer at all; most do not (fast path). */
const MAYBE_LONG = /[[,:]\s*-?\d{16,}\s*[,\]}]/
const LONG = /([[,:]\s*)(-?\d{16,})(?=\s*[,\]}])/g
/** Where a string begins, or a whole number. */
const QUOTE_OR_NUMBER = /"|-?\d[\d.eE+-]*/g

/**
 * Parses a JSON text, in time linear in its length for any content.
 * @throws SyntaxError if it is not JSON, or has an integer of more than 4300 digits
 */
export function parseJson(text: string): Json {
  if (!MAYBE_LONG.test(text)) return JSON.parse(text)
  // Digits within a string are rare. Marking them always makes the text invalid, as what follows the first quote
  // of a mark cannot follow a string. Then parsing fails, and the text is marked again token by token.
  try {
    return revive(JSON.parse(text.replace(LONG, (all, before, digits) => markedAs(digits, all, before))))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // For invalid JSON, the error gives positions in the original text, not in the marked one.
    JSON.parse(text)
    return revive(JSON.parse(markTokens(text)))
  }
}

/** Marks the long integers of a JSON text, except digits within strings. */
function markTokens(text: string): string {
  let marked = ''
  let copied = 0
  QUOTE_OR_NUMBER.lastIndex = 0
  for (;;) {
    const match = QUOTE_OR_NUMBER.exec(text)
    if (!match) return marked + text.slice(copied)
    const [token] = match
    if (token === '"') {
      QUOTE_OR_NUMBER.lastIndex = endOfString(text, match.index)
    } else if (isLongInteger(token)) {
      marked += text.slice(copied, match.index) + markedAs(token, token, '')
      copied = QUOTE_OR_NUMBER.lastIndex
    }
  }
}

/** Gives the position after the closing quote of a string, or the length of the text if there is none. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (text[quote - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return quote + 1
  }
  return text.length
}

function markedAs(token: string, otherwise: string, before: string): string {
  return isLongInteger(token) ? `${before}"${MARK}${token}"` : otherwise
}

/** Replaces marks by their integers, in place. A reviver would take several times as long for a large text. */
function revive(value: Json): Json {
  if (isMarked(value)) return integerOf(value)
  const unseen = [value]
  for (let next = unseen.pop(); next !== undefined; next = unseen.pop()) {
    if (typeof next !== 'object' || next === null) continue
    // JSON.parse has just made it, and no one else has a reference to it.
    const members = next as { [key: string]: Json }
    for (const key of Object.keys(members)) {
      const member = members[key] as Json
      if (isMarked(member)) members[key] = integerOf(member)
      else if (typeof member === 'object') unseen.push(member)
    }
  }
  return value
}

function isMarked(value: Json): value is string {
  return typeof value === 'string' && value.startsWith(MARK)
}

function integerOf(marked: string): bigint {
  return BigInt(marked.slice(MARK.length))
}

/** @throws SyntaxError for one that is too long */
function isLongInteger(token: string): boolean {
  if (!/^-?[1-9]\d{15,}$/.test(token) || Number.isSafeInteger(Number(token))) return false
  if (token.replace('-', '').length > MOST_DIGITS)
    throw new SyntaxError(`Integer of more than ${MOST_DIGITS} digits`)
  return true
}

/**
 * Gives the JSON text of a value.
 * @param gap as the third argument of JSON.stringify
 */
export function stringifyJson(value: Json, gap?: string): string {
  try {
    return JSON.stringify(value, null, gap)
  } catch (error) {
    // JSON.stringify refuses bigints; they are rare, so only they take the slow path.
    if (!(error instanceof TypeError)) throw error
    const marked = JSON.stringify(
      value,
      (_key, inner) => (typeof inner === 'bigint' ? `${MARK}${inner}` : inner),
      gap,
    )
    return marked.replace(MARKED, '$1')
  }
}

/** Whether two values are deeply equal; the order of an object's keys does not matter. */
export function equalJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equalJson(item, b[index]))
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equalJson(a[key], b[key]))
  )
}

/** Values nested deeper than this are not compared, so that deep nesting cannot exhaust the stack. */
const DEEP = 100

/**
 * Gives a value equal to `fresh` that reuses the equal parts of `old` (structural sharing), to save memory.
 * @param fresh is changed in place, so no one else may hold it
 */
export function sharing(fresh: Json, old: Json | undefined, depth = 0): Json {
  if (fresh === old) return old
  if (typeof fresh !== 'object' || fresh === null || depth === DEEP) return fresh
  if (typeof old !== 'object' || old === null || Array.isArray(fresh) !== Array.isArray(old)) return fresh
  const [members, oldMembers] = [fresh as Members, old as Members]
  const keys = Object.keys(members)
  let isSame = keys.length === Object.keys(oldMembers).length
  for (const key of keys) {
    const oldMember = Object.hasOwn(oldMembers, key) ? oldMembers[key] : undefined
    const member = sharing(members[key] as Json, oldMember, depth + 1)
    members[key] = member
    isSame &&= member === oldMember
  }
  return isSame ? old : fresh
}

type Members = { [key: string]: Json }
