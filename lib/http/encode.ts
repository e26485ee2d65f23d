/**
 * JSON text byte for byte as Ganeti's daemon sends it, in Python's format: `, `
 * and `: ` as separators, everything outside ASCII escaped, a newline at the
 * end. Scripts that search for `"status": "success"` without parsing work with
 * both. (One difference remains: a float without a fraction is `1` here and
 * `1.0` there, as JavaScript has only one type of number.)
 *
 * stringifyJson encodes, with a newline wherever a space may be; a pass over the
 * bytes then replaces a newline after a comma by a space, and removes the
 * others. Newlines in strings are escaped, so they are not affected. This takes
 * 1.5 times as long as JSON.stringify alone; an encoder written in JavaScript
 * takes six times as long.
 *
 * Answers can have tens of megabytes. Long lists are encoded in pieces, with
 * time slicing between pieces; elements of lazy lists are made on the way.
 */
import { createHash } from 'node:crypto'
import { eachInSlices } from '../concurrency/time-slicing.ts'
import { Failure } from '../failure.ts'
import { isJsonObject, type Json, stringifyJson } from '../json/json.ts'
import { LazyList, type List } from '../json/lazy-list.ts'
import type { Answer } from '../resources/resource.ts'

const MEBIBYTE = 1024 * 1024

/** The most list elements in a piece: about 100 KiB of bulk instances, half a millisecond. */
const PIECE_LENGTH = 32
/** The target size of a piece in bytes: long elements make pieces of fewer elements, at least one. */
const PIECE_BYTES = 128 * 1024

/** Pieces have unused capacity from encoding; this many bytes of them are copied into one block without. */
const BLOCK = MEBIBYTE

/** The limit for all answers, in bytes. */
const MOST_BYTES = 512 * MEBIBYTE

/** How many elements of a list are encoded to estimate its length. */
const SAMPLE = 32
/** Shorter lists are not estimated; their bytes are counted while they are encoded. */
const WORTH_ESTIMATING = 10 * SAMPLE

const COMMA = 0x2c
const NEWLINE = 0x0a
const SPACE = 0x20
const OPENING = Buffer.from('[')
const CLOSING = Buffer.from(']')
const EMPTY = Buffer.from('[]')
const SEPARATOR = Buffer.from(', ')
const NOTHING = Buffer.alloc(0)

/** Bytes to send, and their digest. */
export interface Encoded {
  readonly body: Buffer
  readonly digest: string
}

export interface EncodeOptions {
  /** The most bytes; with it, the length is estimated first. */
  readonly limit?: number | undefined
  /** Aborts encoding. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Encodes any value, with a newline at the end, in time slices.
 * @throws Failure `too-large` beyond the limit, if possible after the estimate; the signal's reason
 */
export async function encode(value: Answer, { limit, signal }: EncodeOptions = {}): Promise<Encoded> {
  if (limit !== undefined) await checkEstimate(value, limit, signal)
  const most = limit ?? MOST_BYTES
  const hash = createHash('sha256')
  const blocks: Buffer[] = []
  let pieces: Buffer[] = []
  let [length, loose] = [0, 0]
  const add = (piece: Buffer) => {
    hash.update(piece)
    pieces.push(piece)
    length += piece.length
    if (length > most) throw tooLarge(value, length, most)
    loose += piece.length
    if (loose < BLOCK) return
    blocks.push(Buffer.concat(pieces, loose))
    pieces = []
    loose = 0
  }
  await eachInSlices(inPieces(value, true), add, signal)
  add(Buffer.of(NEWLINE))
  return {
    body: await joined([...blocks, ...pieces], length, signal),
    digest: hash.digest('base64url').slice(0, 22),
  }
}

/** Buffer.concat in time slices (it takes 50 milliseconds for 100 MB); frees pieces on the way. */
async function joined(pieces: Buffer[], length: number, signal: AbortSignal | undefined): Promise<Buffer> {
  const whole = Buffer.allocUnsafe(length)
  let at = 0
  const move = (piece: Buffer, place: number) => {
    whole.set(piece, at)
    at += piece.length
    pieces[place] = NOTHING
  }
  await eachInSlices(pieces.entries(), ([place, piece]) => move(piece, place), signal)
  return whole
}

/**
 * Estimates the length of the whole from a sample of each long list.
 * @throws Failure `too-large` if the estimate is beyond the limit
 */
async function checkEstimate(value: Answer, limit: number, signal: AbortSignal | undefined): Promise<void> {
  let estimate = 0
  for (const list of longListsIn(value).filter(({ length }) => length >= WORTH_ESTIMATING)) {
    let bytes = 0
    const indexes = Array.from({ length: SAMPLE }, (_, n) => Math.floor((n * list.length) / SAMPLE))
    await eachInSlices(
      indexes,
      (index) => {
        bytes += lengthOf(list.at(index) as Json) + SEPARATOR.length
      },
      signal,
    )
    estimate += (bytes / SAMPLE) * list.length
  }
  if (estimate > limit) throw tooLarge(value, estimate, limit)
}

/** The length of an element in bytes; a part that it contains several times (a repeated field) is encoded once. */
function lengthOf(element: Json): number {
  if (!Array.isArray(element)) return encodePiece(element).length
  const lengths = new Map<Json, number>()
  let length = EMPTY.length
  for (const part of element as readonly Json[]) {
    const known = lengths.get(part) ?? encodePiece(part).length
    lengths.set(part, known)
    length += known + SEPARATOR.length
  }
  return length
}

function tooLarge(value: Answer, bytes: number, limit: number): Failure {
  const [longest] = longListsIn(value).sort((a, b) => b.length - a.length)
  const row = longest?.at(0)
  const rows = longest && Array.isArray(row) ? ` for ${longest.length} rows of ${row.length} fields` : ''
  return new Failure(
    'too-large',
    `The answer would have ${Math.ceil(bytes / MEBIBYTE)} MiB or more${rows}, and at most` +
      ` ${Math.floor(limit / MEBIBYTE)} MiB are sent; ask for fewer fields, or for fewer objects by a filter`,
  )
}

/** Encodes a value known to be small, with a newline at the end. */
export function encodeSmall(value: Json): Buffer {
  return Buffer.concat([encodePiece(value), Buffer.of(NEWLINE)])
}

/** Cuts long lists into pieces: the value itself if it is one, else those that are its direct members. */
function* inPieces(value: Answer, outermost: boolean): Generator<Buffer> {
  if (isLongList(value)) {
    let count = 1
    for (let at = 0; at < value.length; ) {
      const elements: Json[] = []
      for (; elements.length < count && at < value.length; at++) elements.push(value.at(at) as Json)
      const piece = withoutBrackets(encodePiece(elements))
      yield at === elements.length ? OPENING : SEPARATOR
      yield piece
      count = Math.min(PIECE_LENGTH, Math.max(1, Math.floor((PIECE_BYTES * elements.length) / piece.length)))
    }
    yield value.length === 0 ? EMPTY : CLOSING
  } else if (outermost && isObject(value) && Object.values(value).some(isLongList)) {
    let separator = '{'
    for (const [key, member] of Object.entries(value)) {
      if (member === undefined) continue
      yield Buffer.concat([Buffer.from(separator), encodePiece(key), Buffer.from(': ')])
      yield* inPieces(member, false)
      separator = ', '
    }
    yield Buffer.from('}')
  } else {
    // Values without a long list are plain JSON.
    yield encodePiece(value as Json)
  }
}

function isLongList(value: Answer): value is List<Json> {
  return value instanceof LazyList || (Array.isArray(value) && value.length > PIECE_LENGTH)
}

function longListsIn(value: Answer): List<Json>[] {
  if (isLongList(value)) return [value]
  return isObject(value) ? Object.values(value).filter(isLongList) : []
}

function isObject(value: Answer): value is { readonly [key: string]: Json | List<Json> } {
  return isJsonObject(value as Json)
}

function withoutBrackets(list: Buffer): Buffer {
  return list.subarray(1, -1)
}

function encodePiece(value: Json): Buffer {
  const bytes = Buffer.from(asciiOnly(stringifyJson(value, '\n')), 'latin1')
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte !== NEWLINE) bytes[length++] = byte
    else if (bytes[length - 1] === COMMA) bytes[length++] = SPACE
  }
  return bytes.subarray(0, length)
}

function asciiOnly(text: string): string {
  return text.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
