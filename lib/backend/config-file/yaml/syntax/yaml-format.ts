/**
 * Values as YAML text: on one line (flow style), or an object with a key a line
 * (block style).
 *
 * What is written means the same to readers of YAML 1.1 (PyYAML among them),
 * to whom `no` is false, `012` ten and `52:54:00:12:34:56` a number in base 60:
 * text that either version takes for something else is quoted.
 */
import { stringify } from 'yaml'
import { isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'

/** A flow collection longer than this is rather put on lines of its own. */
const WIDTH = 100

/** A key that stands without `?` has at most 1024 characters, its quotes included. */
const LONGEST_KEY = 1000

/** Text of such characters may stand without quotes, where the package agrees; any other is quoted at once. */
const MAYBE_PLAIN = /^[\p{L}\p{N}_/.~+-][\p{L}\p{N}_/.~+@:= -]*$/u

/** A day, to readers of YAML 1.1. */
const DAY = /^\d{4}-\d\d?-\d\d?/

/** What readers refuse, or take for a line break, unless it is escaped; JSON escapes the rest. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g

/** A value in one line. */
export function flow(value: Json): string {
  if (typeof value === 'string') return flowText(value)
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(flow).join(', ')}]`
  // To YAML 1.1 a number with an exponent has a point.
  if (!isJsonObject(value)) return String(value).replace(/^(-?\d)e-/, '$1.0e-')
  const pairs = Object.entries(value).map(([key, inner]) => flowPair(key, inner))
  return `{${pairs.join(', ')}}`
}

/** A key and its value as they stand within braces. */
export function flowPair(key: string, value: Json): string {
  const written = flowText(key)
  return written.length > LONGEST_KEY ? `? ${written} : ${flow(value)}` : `${written}: ${flow(value)}`
}

/** Text as it can stand anywhere, brackets included: quoted where it would mean something else. */
function flowText(text: string): string {
  if (!MAYBE_PLAIN.test(text) || DAY.test(text)) return inQuotes(text)
  // As an item of a list, which the package quotes accordingly.
  const plain = stringify([text], {
    compat: 'yaml-1.1',
    collectionStyle: 'flow',
    flowCollectionPadding: false,
    lineWidth: 0,
  })
  return plain.trimEnd().slice(1, -1)
}

function inQuotes(text: string): string {
  return JSON.stringify(text).replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A value behind its key's colon. @param indent of the key */
export function rendered(value: Json, indent: number, inFlow: boolean): string {
  const line = flow(value)
  if (inFlow || typeof value !== 'object' || value === null || fitsLine(value, line)) return ` ${line}`
  const inner = indent + 2
  if (isJsonObject(value)) return `\n${blockMap(value, inner).trimEnd()}`
  const dash = `${' '.repeat(inner)}- `
  return `\n${(value as readonly Json[]).map((item) => dash + flow(item)).join('\n')}`
}

/** A list of objects, and an object of objects, is easier to read with one of them a line. */
function fitsLine(value: object, line: string): boolean {
  const parts = Object.values(value)
  const nested = parts.some(
    (part) => typeof part === 'object' && part !== null && Object.keys(part).length > 0,
  )
  return line.length <= WIDTH && !(nested && parts.length > 1)
}

/** An object with a key a line, each indented by so many spaces. */
export function blockMap(value: JsonObject, indent: number): string {
  return Object.entries(value)
    .map(([key, inner]) => blockPair(key, rendered(inner, indent, false), indent))
    .join('')
}

/** An object's name, and behind it the object on the same line. */
export function flowEntry(name: string, value: JsonObject, indent: number): string {
  return blockPair(name, ` ${flow(value)}`, indent)
}

/** An object's name, and below it the object with a key a line. */
export function blockEntry(name: string, value: JsonObject, indent: number): string {
  const isEmpty = Object.keys(value).length === 0
  return blockPair(name, isEmpty ? ' {}' : `\n${blockMap(value, indent + 2).trimEnd()}`, indent)
}

function blockPair(key: string, behind: string, indent: number): string {
  const margin = ' '.repeat(indent)
  const written = flowText(key)
  return written.length > LONGEST_KEY
    ? `${margin}? ${written}\n${margin}:${behind}\n`
    : `${margin}${written}:${behind}\n`
}
