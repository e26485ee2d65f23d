/**
 * Long JSON texts, parsed with time slicing: small values are given to
 * JSON.parse unchanged, in runs of neighbours, and only containers longer than
 * a run are split here. The result is the same as from JSON.parse of the whole
 * text, and the same texts are refused.
 */
import { inSlices } from '../concurrency/time-slicing.ts'
import { type Json, parseJson } from './json.ts'
import {
  BACKSLASH,
  CLOSE_LIST,
  CLOSE_OBJECT,
  COMMA,
  type JsonBounds,
  JsonOutline,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
} from './json-outline.ts'

export interface JsonDecoding {
  readonly bounds: JsonBounds
  /** Decodes UTF-8; given parts of the text that begin and end with a whole character. */
  readonly decode: (bytes: Buffer) => string
  /** Bytes in a run; default: 32 KiB, for which JSON.parse takes at most about 5 milliseconds. */
  readonly run?: number
}

const RUN = 32 * 1024

const TAB = 0x09
const NEWLINE = 0x0a
const RETURN = 0x0d
const SPACE = 0x20

/**
 * Parses a JSON text; if it is long, yields to the event loop in between.
 * @throws JsonBoundError if it exceeds a bound, before anything is parsed;
 *   SyntaxError if it is not JSON; and what `decode` throws
 */
export async function parseJsonInSlices(
  bytes: Buffer,
  { bounds, decode, run = RUN }: JsonDecoding,
): Promise<Json> {
  const outline = new JsonOutline(bytes, bounds, run)
  if (bytes.length <= run) {
    outline.readTo(bytes.length)
    return parseJson(decode(bytes))
  }
  return inSlices(parse(bytes, outline, { bounds, decode, run }))
}

function* parse(
  bytes: Buffer,
  outline: JsonOutline,
  { bounds, decode, run }: Required<JsonDecoding>,
): Generator<void, Json> {
  for (let at = 0; at < bytes.length; at += run) {
    outline.readTo(Math.min(at + run, bytes.length))
    yield
  }
  const parser = new PieceParser(bytes, outline.large, decode, run)
  const begin = parser.afterSpace(0)
  const end = outline.large.get(begin)
  if (end === undefined) {
    // Too long for one small value and the spaces around it: there are several values.
    if (bytes.length > run + 2 * bounds.scalar) throw unexpected()
    return parser.parse(0, bytes.length)
  }
  const value = yield* parser.container(begin, end)
  if (parser.afterSpace(end + 1) < bytes.length) throw unexpected()
  return value
}

class PieceParser {
  readonly #bytes: Buffer
  readonly #large: ReadonlyMap<number, number>
  readonly #decode: (bytes: Buffer) => string
  readonly #run: number

  constructor(
    bytes: Buffer,
    large: ReadonlyMap<number, number>,
    decode: (bytes: Buffer) => string,
    run: number,
  ) {
    this.#bytes = bytes
    this.#large = large
    this.#decode = decode
    this.#run = run
  }

  /** Parses the text between two positions, enclosed in the given brackets. */
  parse(from: number, to: number, before = '', after = ''): Json {
    return parseJson(before + this.#decode(this.#bytes.subarray(from, to)) + after)
  }

  /** The first position from `at` on without white space. */
  afterSpace(at: number): number {
    const bytes = this.#bytes
    for (; ; at++) {
      const byte = bytes[at]
      if (byte !== SPACE && byte !== NEWLINE && byte !== RETURN && byte !== TAB) return at
    }
  }

  /** Parses a large container, from its opening to its closing bracket. */
  *container(begin: number, end: number): Generator<void, Json> {
    const target = this.#bytes[begin] === OPEN_LIST ? new ListTarget(this) : new ObjectTarget(this)
    if (this.#bytes[end] !== target.close) throw unexpected()

    // Members before `from` have been taken; `comma` is before the last member that has begun.
    let from = begin + 1
    let comma = begin
    /** Whether another member must follow: not in an empty container, nor after a large member. */
    let isOpen = false
    for (let at = from; at < end; at++) {
      switch (this.#bytes[at]) {
        case QUOTE:
          at = this.#endOfString(at)
          break
        case COMMA:
          if (at - from >= this.#run) {
            this.#takeRun(target, from, at)
            from = at + 1
            yield
          }
          comma = at
          isOpen = true
          break
        case OPEN_LIST:
        case OPEN_OBJECT: {
          const itsEnd = this.#large.get(at)
          if (itsEnd === undefined) {
            at = this.#endOfSmall(at)
            break
          }
          if (comma >= from) this.#takeRun(target, from, comma)
          const key = target.keyIn(comma + 1, at)
          target.add(key, yield* this.container(at, itsEnd))
          yield
          at = this.afterSpace(itsEnd + 1)
          if (at < end && this.#bytes[at] !== COMMA) throw unexpected()
          isOpen = at < end
          from = at + 1
          comma = at
        }
      }
    }
    if (isOpen || (from === begin + 1 && this.afterSpace(from) < end)) this.#takeRun(target, from, end)
    return target.value
  }

  /** Takes whole members: the text between two commas, or between a bracket and a comma. */
  #takeRun(target: ListTarget | ObjectTarget, from: number, to: number): void {
    if (this.afterSpace(from) >= to) throw unexpected()
    target.addAll(from, to)
  }

  #endOfString(begin: number): number {
    const bytes = this.#bytes
    for (let at = begin + 1; ; at++) {
      const byte = bytes[at]
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) return at
    }
  }

  #endOfSmall(begin: number): number {
    const bytes = this.#bytes
    let depth = 0
    for (let at = begin; ; at++) {
      switch (bytes[at]) {
        case QUOTE:
          at = this.#endOfString(at)
          break
        case OPEN_LIST:
        case OPEN_OBJECT:
          depth++
          break
        case CLOSE_LIST:
        case CLOSE_OBJECT:
          if (--depth === 0) return at
      }
    }
  }
}

class ListTarget {
  readonly close = CLOSE_LIST
  readonly value: Json[] = []
  readonly #parser: PieceParser

  constructor(parser: PieceParser) {
    this.#parser = parser
  }

  addAll(from: number, to: number): void {
    for (const member of this.#parser.parse(from, to, '[', ']') as Json[]) this.value.push(member)
  }

  /** A member of a list has no key: between the comma and its bracket there is only white space. */
  keyIn(from: number, to: number): string {
    if (this.#parser.afterSpace(from) < to) throw unexpected()
    return ''
  }

  add(_key: string, member: Json): void {
    this.value.push(member)
  }
}

class ObjectTarget {
  readonly close = CLOSE_OBJECT
  readonly value: { [key: string]: Json } = {}
  readonly #parser: PieceParser

  constructor(parser: PieceParser) {
    this.#parser = parser
  }

  addAll(from: number, to: number): void {
    const members = this.#parser.parse(from, to, '{', '}') as { [key: string]: Json }
    for (const key of Object.keys(members)) this.add(key, members[key] as Json)
  }

  /** The key between the comma and a large member's bracket, with its colon. */
  keyIn(from: number, to: number): string {
    // Only a key and a colon make a valid object when followed by a null.
    const [key] = Object.keys(this.#parser.parse(from, to, '{', 'null}') as { [key: string]: Json })
    return key as string
  }

  /** Like JSON.parse, makes an own property for any key, such as `__proto__`. */
  add(key: string, member: Json): void {
    if (key !== '__proto__') this.value[key] = member
    else
      Object.defineProperty(this.value, key, {
        value: member,
        writable: true,
        enumerable: true,
        configurable: true,
      })
  }
}

function unexpected(): SyntaxError {
  return new SyntaxError('Unexpected token in JSON')
}
