/**
 * Decodes a file as UTF-8. Anything else is refused with its position: a
 * replacement character would be written back by the next change.
 */
import { isUtf8 } from 'node:buffer'
import { Failure } from '../../../failure.ts'

const NEWLINE = 0x0a

/**
 * @param name of the file, for messages
 * @throws Failure `configuration` with line and column of the first byte that is not UTF-8
 */
export function decodeText(bytes: Buffer, name: string): string {
  const fault = faultOf(bytes)
  if (fault !== undefined) throw new Failure('configuration', `${name}: ${fault}`)
  return bytes.toString('utf8')
}

function faultOf(bytes: Buffer): string | undefined {
  if (looksLikeUtf16(bytes))
    return '1:1: this is UTF-16, and must be UTF-8: iconv -f UTF-16 -t UTF-8 converts it'
  if (isUtf8(bytes)) return undefined
  let line = 1
  let begin = 0
  for (;;) {
    const newline = bytes.indexOf(NEWLINE, begin)
    const end = newline < 0 ? bytes.length : newline
    const text = bytes.subarray(begin, end)
    if (!isUtf8(text)) {
      const { column, byte } = firstFault(text)
      const shown = `0x${byte.toString(16).padStart(2, '0')}`
      return `${line}:${column}: the byte ${shown} is not UTF-8; if this is Latin-1, iconv -f LATIN1 -t UTF-8 converts it`
    }
    line++
    begin = end + 1
  }
}

/** Detects UTF-16 by its byte order mark, or because every other byte is zero. */
function looksLikeUtf16(bytes: Buffer): boolean {
  if (bytes.length < 4) return false
  const mark = bytes.readUInt16BE()
  if (mark === 0xfeff || mark === 0xfffe) return true
  const zeros = [...bytes.subarray(0, 4)].map((byte) => byte === 0)
  return zeros[0] !== zeros[1] && zeros[0] === zeros[2] && zeros[1] === zeros[3]
}

/** The column of the first invalid byte in a line, in UTF-16 units from 1, and that byte. */
function firstFault(line: Buffer): { column: number; byte: number } {
  let text = ''
  for (let at = 0; ; ) {
    const length = [1, 2, 3, 4].find(
      (bytes) => at + bytes <= line.length && isUtf8(line.subarray(at, at + bytes)),
    )
    if (length === undefined) return { column: text.length + 1, byte: line[at] as number }
    text += line.toString('utf8', at, at + length)
    at += length
  }
}
