/**
 * LUXI on the wire, over a stream socket, the same in both directions:
 *
 *     JSON text in UTF-8 | 0x03 | JSON text in UTF-8 | 0x03 | ...
 *
 * The byte that ends a message stands in no JSON text (control characters are
 * escaped in strings) and within no character's UTF-8, so it can be looked for
 * without looking at anything else. A request is
 * `{"method": NAME, "args": [...], "version": 3000000}`, its answer
 * `{"success": BOOLEAN, "result": ...}`; requests on one connection are
 * answered in their order.
 */
import { constants } from 'node:buffer'

const END = 0x03
const END_OF_MESSAGE = Buffer.of(END)

/** More than a string can hold is no message. */
export const MOST_BYTES = constants.MAX_STRING_LENGTH

/** Gives the bytes of a message. */
export function frame(text: string): Buffer {
  return Buffer.concat([Buffer.from(text), END_OF_MESSAGE])
}

export class MessageTooLong extends Error {}

/** Puts a message together from what a socket gives, whatever the pieces. */
export class MessageReader {
  #pieces: Buffer[] = []
  #bytes = 0

  /** Whether part of a message has been received. */
  get begun(): boolean {
    return this.#bytes > 0
  }

  /**
   * Takes what was received.
   * @param limit the most bytes of a message
   * @returns the whole message, once it is; there is but one to an exchange, so `rest` is what should not be there
   * @throws MessageTooLong
   */
  take(piece: Buffer, limit = MOST_BYTES): { readonly bytes: Buffer; readonly rest: number } | undefined {
    const end = piece.indexOf(END)
    const part = end < 0 ? piece : piece.subarray(0, end)
    this.#bytes += part.length
    if (this.#bytes > limit) throw new MessageTooLong(`the message has more than ${limit} bytes`)
    this.#pieces.push(part)
    if (end < 0) return undefined
    const bytes = Buffer.concat(this.#pieces, this.#bytes)
    this.#pieces = []
    this.#bytes = 0
    return { bytes, rest: piece.length - end - 1 }
  }
}
