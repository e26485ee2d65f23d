/**
 * JSON as we read and send it. Integers that JavaScript's numbers cannot hold
 * (Ganeti stamps the reasons of a job with nanoseconds) pass through exactly,
 * as bigints; everything else is JSON.parse and JSON.stringify.
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

/** Stands before the digits of a long integer while it travels as a string; nobody outside can know it. */
const MARK = `${randomUUID()}:`
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g')

/** As many digits as Python takes: beyond that an integer takes time in the square of its length. */
const MOST_DIGITS = 4300

/** Whether a text may hold a long integer at all; most do not, and take the short way. */
const MAYBE_LONG = /[[,:]\s*-?\d{16,}\s*[,\]}]/
const LONG = /([[,:]\s*)(-?\d{16,})(?=\s*[,\]}])/g
/** Where a string begins, or a whole number. */
const QUOTE_OR_NUMBER = /"|-?\d[\d.eE+-]*/g

/**
 * Reads a JSON text, in time linear in its length whatever it holds.
 * @throws SyntaxError where it is none, or has an integer of more than 4300 digits
 */
export function parseJson(text: string): Json {
  if (!MAYBE_LONG.test(text)) return JSON.parse(text)
  // Digits that stand in the middle of a string are rare. Marking them breaks that string for sure, as what
  // follows the first quote of a mark can follow no string; so it is noticed, and tokens are told apart.
  try {
    return revive(JSON.parse(text.replace(LONG, (all, before, digits) => markedAs(digits, all, before))))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // A text that is broken in itself is told so by its own positions, not those of the marked one.
    JSON.parse(text)
    return revive(JSON.parse(markTokens(text)))
  }
}

/** Marks the long integers of a JSON text, and leaves alone what looks like one within a string. */
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

/** Gives the place behind the quote that ends a string, the length of the text where none does. */
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

/** Puts the long integers where their marks are. A reviver would take several times as long with a large text. */
function revive(value: Json): Json {
  if (isMarked(value)) return integerOf(value)
  const unseen = [value]
  for (let next = unseen.pop(); next !== undefined; next = unseen.pop()) {
    if (typeof next !== 'object' || next === null) continue
    // JSON.parse has just made it, for nobody but us.
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
    // JSON.stringify refuses bigints; they are rare, so they pay for themselves.
    if (!(error instanceof TypeError)) throw error
    const marked = JSON.stringify(
      value,
      (_key, inner) => (typeof inner === 'bigint' ? `${MARK}${inner}` : inner),
      gap,
    )
    return marked.replace(MARKED, '$1')
  }
}

/** Whether two values say the same; the order of an object's keys says nothing. */
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

/** Nothing within so many objects is compared, lest a text that nests ever deeper exhausts the stack. */
const DEEP = 100

/**
 * Gives what says the same as `fresh`, of parts of `old` as far as these say the same: where little changed,
 * little memory is taken.
 * @param fresh nobody else's, as it may be changed
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
