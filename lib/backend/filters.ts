/** What can be read off a filter in its JSON form (config-file/query/filter-language.ts has all of the language). */
import type { Json } from '../json/json.ts'

/** The filter for objects with one of these names. */
export function named(names: readonly string[]): Json {
  return ['|', ...names.map((name) => ['=', 'name', name])]
}

/** The names that a filter asks for, if it asks for objects by name alone. */
export function namesIn(filter: Json): readonly string[] | undefined {
  if (!Array.isArray(filter)) return undefined
  const [operator, ...parts] = filter as readonly Json[]
  if (operator === '=' || operator === '==') {
    const [field, value] = parts
    return field === 'name' && typeof value === 'string' && parts.length === 2 ? [value] : undefined
  }
  if (operator !== '|' || parts.length === 0) return undefined
  const names: string[] = []
  for (const part of parts) {
    const some = namesIn(part)
    if (!some) return undefined
    for (const name of some) names.push(name)
  }
  return names
}

/** Whether a filter looks at a field. */
export function mentions(filter: Json, field: string): boolean {
  if (!Array.isArray(filter)) return false
  return filter[1] === field || (filter as readonly Json[]).some((part) => mentions(part, field))
}
