/**
 * The query string as Ganeti's daemon reads it: `&` is the only separator, `+`
 * is a space, parameters with an empty value count as absent, unknown ones are
 * ignored, and integers have the syntax of Python's int().
 */
import { Failure } from '../failure.ts'

/** What Python's int() accepts in base 10: spaces around, a sign, single underscores between digits. */
const PYTHON_INTEGER = /^\s*[+-]?\d+(_\d+)*\s*$/

export class QueryString {
  readonly #values = new Map<string, string[]>()

  /** @param text what follows the `?` of a request's target, still encoded; '' if there is none */
  constructor(text: string) {
    // URLSearchParams removes a leading question mark, but here it would be part of the text.
    for (const [name, value] of new URLSearchParams(`?${text}`)) {
      if (value === '') continue
      const others = this.#values.get(name)
      if (others) others.push(value)
      else this.#values.set(name, [value])
    }
  }

  /** The first value of a parameter. */
  first(name: string): string | undefined {
    return this.#values.get(name)?.[0]
  }

  /** Every value of a parameter that may be repeated (`tag`). */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }

  /**
   * Whether an integer parameter is not zero; false if it is absent.
   * @throws Failure `invalid` if it is not an integer
   */
  flag(name: string): boolean {
    const value = this.first(name)
    if (value === undefined) return false
    if (!PYTHON_INTEGER.test(value)) throw invalidValue(name)
    return /[1-9]/.test(value)
  }

  /**
   * A flag of RAPI 1.2, which is documented as `true`, not as 1 like in RAPI 2.
   * @throws Failure `invalid` if it is neither a boolean word nor an integer
   */
  flagOrWord(name: string): boolean {
    const value = this.first(name)
    if (value === 'true') return true
    if (value === 'false') return false
    return this.flag(name)
  }
}

/** The result of Python's int() for a text in base 10; undefined if it raises. */
export function parsePythonInteger(text: string): number | undefined {
  return PYTHON_INTEGER.test(text) ? Number(text.replaceAll('_', '')) : undefined
}

function invalidValue(name: string): Failure {
  return new Failure('invalid', `Invalid value for the '${name}' parameter`)
}
