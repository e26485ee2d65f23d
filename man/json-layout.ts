/** JSON for readers: a part that fits stands on one line, any other on one line for each member. */
import { isJsonObject, type Json, stringifyJson } from '../lib/json/json.ts'

/** What is left out of a long text: the outermost object keeps all its keys. */
export interface Abridging {
  /** The most elements of a list. */
  readonly members: number
  /** The most keys of an inner object. */
  readonly keys: number
  /** How deep objects within objects are shown that do not fit into a line. */
  readonly depth: number
}

/** The placeholder for omitted parts. */
export const LEFT_OUT = '…'

/**
 * Lays out a value, in lines of at most `width` characters where that is possible.
 * @param abridging what may be left out; default: nothing
 */
export function layOut(value: Json, width: number, abridging?: Abridging): string {
  return part(value, { width, abridging }, '', 0, 0)
}

interface Form {
  readonly width: number
  readonly abridging: Abridging | undefined
}

/**
 * @param indent the indentation of the value's last line
 * @param column the column at which its first line begins
 */
function part(value: Json, form: Form, indent: string, column: number, depth: number): string {
  const { width, abridging } = form
  const whole = inOneLine(value)
  if (column + whole.length <= width) return whole
  if (typeof value !== 'object' || value === null) {
    return abridging ? `${whole.slice(0, width - column - 2)}${LEFT_OUT}"` : whole
  }
  const inner = `${indent}  `
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  let parts: string[]
  let all: number
  if (Array.isArray(value)) {
    all = value.length
    parts = value.slice(0, abridging?.members).map((one) => part(one, form, inner, inner.length, depth))
  } else {
    const entries = Object.entries(value)
    all = entries.length
    parts = entries.slice(0, depth === 0 ? all : abridging?.keys).map(([key, one]) => {
      const label = `${JSON.stringify(key)}: `
      return label + part(one, form, inner, inner.length + label.length, depth + 1)
    })
  }
  if (parts.length < all) parts.push(LEFT_OUT)
  const line = open + parts.join(', ') + close
  if (column + line.length <= width && !line.includes('\n')) return line
  if (abridging && depth >= abridging.depth) return open + LEFT_OUT + close
  return `${open}\n${parts.map((one) => inner + one).join(',\n')}\n${indent}${close}`
}

function inOneLine(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(', ')}]`
  if (!isJsonObject(value)) return stringifyJson(value)
  const pairs = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${inOneLine(one)}`)
  return `{${pairs.join(', ')}}`
}
