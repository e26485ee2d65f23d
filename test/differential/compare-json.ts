/**
 * Compares two JSON values all the way down and tells each place where they
 * differ in a line. Members of lists that have a name, and rows and cells of a
 * query's answer, are told by their names rather than by number.
 */
import { isJsonObject, type Json, stringifyJson } from '../../lib/json/json.ts'

export interface Comparison {
  /** How many values were looked at. */
  readonly values: number
  /** E.g. `body inst1.example.com status: "running" -> "ERROR_nodedown"`. */
  readonly differences: readonly string[]
}

/** An answer over HTTP. */
export interface Answer {
  readonly status: number
  readonly body: Json
}

/** Compares two answers; their bodies where the statuses are equal. */
export function compareAnswers(theirs: Answer, ours: Answer): Comparison {
  if (theirs.status !== ours.status) {
    return { values: 1, differences: [`status: ${told(theirs)} -> ${told(ours)}`] }
  }
  const { values, differences } = compareJson(theirs.body, ours.body)
  return { values: 1 + values, differences }
}

function told({ status, body }: Answer): string {
  const text = isJsonObject(body) && 'message' in body ? body.message : body
  return `${status} ${stringifyJson(text ?? null)}`.slice(0, 120)
}

export function compareJson(theirs: Json, ours: Json): Comparison {
  const comparing = new Comparing()
  comparing.compare(named(theirs), named(ours), 'body')
  return comparing
}

/** A line that says what is at a place there, and what is there instead. */
export function difference(place: string, theirs: Json | undefined, ours: Json | undefined): string {
  return `${place}: ${brief(theirs)} -> ${brief(ours)}`
}

class Comparing implements Comparison {
  values = 0
  readonly differences: string[] = []

  compare(theirs: Json | undefined, ours: Json | undefined, place: string): void {
    this.values++
    if (Array.isArray(theirs) && Array.isArray(ours)) this.#compareLists(theirs, ours, place)
    else if (isJsonObject(theirs) && isJsonObject(ours)) this.#compareObjects(theirs, ours, place)
    else if (theirs !== ours) this.differences.push(difference(place, theirs, ours))
  }

  #compareLists(theirs: readonly Json[], ours: readonly Json[], place: string): void {
    if (theirs.length !== ours.length) {
      this.differences.push(difference(`${place} as a whole`, theirs, ours))
      return
    }
    for (const [i, one] of theirs.entries()) {
      this.compare(one, ours[i], `${place} ${nameOf(one) ?? i}`)
    }
  }

  #compareObjects(
    theirs: { readonly [key: string]: Json },
    ours: { readonly [key: string]: Json },
    place: string,
  ): void {
    const keys = new Set([...Object.keys(theirs), ...Object.keys(ours)])
    for (const key of keys) this.compare(theirs[key], ours[key], `${place} ${key}`)
    const order = (object: object, other: object) => Object.keys(object).filter((key) => key in other)
    if (order(theirs, ours).join() !== order(ours, theirs).join()) {
      this.differences.push(difference(`${place} order of keys`, order(theirs, ours), order(ours, theirs)))
    }
  }
}

/** A query's answer as objects, cells by field; anything else as it is. */
function named(answer: Json): Json {
  if (!isJsonObject(answer) || !Array.isArray(answer.data) || !Array.isArray(answer.fields)) return answer
  const fields = answer.fields.map((field) => String(field.name))
  const rows = answer.data.map((cells: readonly Json[]) =>
    Object.fromEntries(cells.map((cell, i) => [fields[i] ?? i, cell])),
  )
  return { ...answer, data: rows }
}

/** The name of an object, or of a query's row, where the name is in a cell. */
function nameOf(value: Json): string | undefined {
  if (!isJsonObject(value)) return undefined
  const name = Array.isArray(value.name) ? value.name[1] : value.name
  return typeof name === 'string' ? name : undefined
}

function brief(value: Json | undefined): string {
  const text = value === undefined ? 'absent' : stringifyJson(value)
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}
