/**
 * From a file's bytes to its text, which is UTF-8. Anything else is refused with
 * its place: a character put in the place of what cannot be read would be
 * written back by the next change.
 */
import { isUtf8 } from 'node:buffer'
import { Failure } from '../../../failure.ts'

const NEWLINE = 0x0a

/**
 * @param name of the file, for messages
 * @throws Failure `configuration` with line and column of what is not UTF-8
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

/** By its byte order mark, or as every other byte of plain text is zero in it. */
function looksLikeUtf16(bytes: Buffer): boolean {
  if (bytes.length < 4) return false
  const mark = bytes.readUInt16BE()
  if (mark === 0xfeff || mark === 0xfffe) return true
  const zeros = [...bytes.subarray(0, 4)].map((byte) => byte === 0)
  return zeros[0] !== zeros[1] && zeros[0] === zeros[2] && zeros[1] === zeros[3]
}

/** The first character of a line that is none, in UTF-16 units from 1, and the byte it begins with. */
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
