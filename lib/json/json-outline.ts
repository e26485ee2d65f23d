/**
 * Finds where the containers of a JSON text begin and end, in one pass over the
 * bytes and without recursion. So bounds are checked before anything is parsed,
 * and it is known which parts are small enough to be parsed in one go.
 *
 * Only brackets, quotes and commas are looked at; the parser checks the rest.
 */

/** Bounds of a JSON text. */
export interface JsonBounds {
  /** The most containers within one another. */
  readonly depth: number
  /** The most values, as counted by commas and opening brackets. */
  readonly values: number
  /** The most members of one object. */
  readonly members: number
  /** The most bytes of one string or number, with the spaces around it. */
  readonly scalar: number
}

/** A text exceeds a bound. */
export class JsonBoundError extends Error {
  override readonly name = 'JsonBoundError'

  constructor(
    readonly bound: keyof JsonBounds,
    message: string,
  ) {
    super(message)
  }
}

/** The bytes that tell where the parts of a JSON text begin and end. */
export const QUOTE = 0x22
export const COMMA = 0x2c
export const OPEN_LIST = 0x5b
export const BACKSLASH = 0x5c
export const CLOSE_LIST = 0x5d
export const OPEN_OBJECT = 0x7b
export const CLOSE_OBJECT = 0x7d

export class JsonOutline {
  /** The containers longer than `large`: where each ends, by where it begins, at its brackets. */
  readonly large = new Map<number, number>()
  readonly #bytes: Buffer
  readonly #bounds: JsonBounds
  readonly #large: number
  /** Where the containers begin that have not ended. */
  readonly #open: number[] = []
  /** How many commas each of them has so far. */
  readonly #commas: number[] = []
  #at = 0
  #values = 1
  #inString = false
  /** The last byte looked at that belongs to no scalar. */
  #scalarFrom = 0

  /**
   * @param bytes the text in UTF-8
   * @param large containers of more bytes than this are large
   */
  constructor(bytes: Buffer, bounds: JsonBounds, large: number) {
    this.#bytes = bytes
    this.#bounds = bounds
    this.#large = large
  }

  /**
   * Continues the scan up to a position; the last call must go to the end of the text.
   * @throws JsonBoundError beyond a bound, SyntaxError for unbalanced brackets or quotes
   */
  readTo(end: number): void {
    const bytes = this.#bytes
    const open = this.#open
    let inString = this.#inString
    let at = this.#at
    for (; at < end; at++) {
      const byte = bytes[at]
      if (inString) {
        if (byte === BACKSLASH) at++
        else if (byte === QUOTE) {
          inString = false
          this.#endScalar(at)
        }
        continue
      }
      switch (byte) {
        case QUOTE:
          inString = true
          this.#endScalar(at)
          break
        case COMMA:
          this.#countValue()
          this.#countMember()
          this.#endScalar(at)
          break
        case OPEN_LIST:
        case OPEN_OBJECT: {
          this.#countValue()
          this.#endScalar(at)
          const { depth } = this.#bounds
          if (open.length === depth)
            throw new JsonBoundError('depth', `JSON nested more than ${depth} levels deep`)
          open.push(at)
          this.#commas.push(0)
          break
        }
        case CLOSE_LIST:
        case CLOSE_OBJECT: {
          this.#endScalar(at)
          const begin = open.pop()
          this.#commas.pop()
          if (begin === undefined) throw new SyntaxError('A closing bracket without an opening one')
          if (at - begin >= this.#large) this.large.set(begin, at)
        }
      }
    }
    this.#at = at
    this.#inString = inString
    if (end < bytes.length) return
    this.#endScalar(end)
    if (inString || open.length > 0) throw new SyntaxError('Unexpected end of JSON input')
  }

  #countValue(): void {
    const { values } = this.#bounds
    if (++this.#values > values) throw new JsonBoundError('values', `JSON of more than ${values} values`)
  }

  #countMember(): void {
    const { members } = this.#bounds
    const innermost = this.#open.length - 1
    if (innermost < 0) return
    const commas = (this.#commas[innermost] as number) + 1
    this.#commas[innermost] = commas
    if (commas >= members && this.#bytes[this.#open[innermost] as number] === OPEN_OBJECT) {
      throw new JsonBoundError('members', `JSON with an object of more than ${members} members`)
    }
  }

  #endScalar(at: number): void {
    const { scalar } = this.#bounds
    if (at - this.#scalarFrom > scalar) {
      throw new JsonBoundError('scalar', `JSON with a value of more than ${scalar} bytes`)
    }
    this.#scalarFrom = at
  }
}
