/**
 * Regular expressions from strangers, matched in time that only grows with
 * their size times the length of the text.
 *
 * JavaScript's usual matcher tries one way after another and can take longer
 * than the universe has for `(a+)+$`. V8 has a second one that follows all
 * ways at once, behind the flag `l`; a pattern it cannot handle that way (back
 * references, look-ahead, counts above 16) is refused when made, never handed
 * to the usual matcher. Size and length are bounded as well, so that one match
 * costs a few milliseconds at most.
 *
 * Ganeti's own expressions are PCRE. Where the two read a pattern differently,
 * it is refused rather than misread.
 */
import { setFlagsFromString } from 'node:v8'
import { Failure } from '../../../failure.ts'

// Allows the flag `l`; expressions without it are made as ever.
setFlagsFromString('--enable-experimental-regexp-engine')

const MAX_LENGTH = 512

/** Bound of size times text length, each step of which takes some 50 ns at worst. */
const MAX_STEPS = 200_000

/** V8 writes out a counted part at most this many times. */
const MAX_REPEAT = 16

/** An escape that means the same in both languages: no letter or digit, or one of these. */
const SHARED_ESCAPES = /^\\(?:[^A-Za-z0-9]|[dDwWsSbBnrtfv]|x[0-9a-fA-F]{2})/

export interface LinearRegExp {
  /** Upper bound of what it takes to match one character, in steps. */
  readonly size: number
  /**
   * Whether it matches anywhere in the text.
   * @throws Failure `invalid` where the text is too long for a pattern of this size
   */
  readonly test: (text: string) => boolean
}

/**
 * Makes an expression.
 * @throws Failure `invalid` where the pattern is broken, too long, or cannot be matched in linear time
 */
export function linearRegExp(pattern: string): LinearRegExp {
  if (pattern.length > MAX_LENGTH)
    throw new Failure('invalid', `Regular expression longer than ${MAX_LENGTH} characters`)
  refuseDialect(pattern)
  const expression = compile(pattern)
  const size = (pattern.length + 1) * (pattern.includes('{') ? MAX_REPEAT : 1)
  return {
    size,
    test(text) {
      if (size * text.length > MAX_STEPS) {
        throw new Failure(
          'invalid',
          `Regular expression '${pattern}' is too large for a value of ${text.length} characters`,
        )
      }
      return expression.test(text)
    },
  }
}

function compile(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'l')
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // V8 says `Invalid regular expression: /PATTERN/l: REASON`; only the reason is for the client.
    const reason = error.message.replace(/^Invalid regular expression: .*: /s, '')
    throw new Failure('invalid', `Invalid regular expression '${pattern}': ${reason}`, { cause: error })
  }
}

/** Refuses what PCRE and JavaScript both accept, but understand differently. */
function refuseDialect(pattern: string): void {
  for (let at = pattern.indexOf('\\'); at >= 0; ) {
    const known = SHARED_ESCAPES.exec(pattern.slice(at, at + 4))
    if (!known) throw unsupported(pattern, pattern.slice(at, at + 2))
    at = pattern.indexOf('\\', at + known[0].length)
  }
  const odd = /\[\^?\]|\[:/.exec(pattern.replace(/\\./gs, ''))
  if (odd) throw unsupported(pattern, odd[0])
}

function unsupported(pattern: string, part: string): Failure {
  return new Failure('invalid', `Invalid regular expression '${pattern}': '${part}' is not supported`)
}
