import type { Json } from '../json/json.ts'

const MOST_CHARACTERS = 500

/**
 * The first line of what a job failed with.
 * @param results of its opcodes: of one that failed, the name of an error and its arguments
 * @returns undefined if none failed
 */
export function errorOf(statuses: readonly Json[], results: readonly Json[]): string | undefined {
  const failed = statuses.indexOf('error')
  if (failed < 0) return undefined
  const text = firstText(results[failed] ?? null) ?? ''
  const [line = ''] = text.split('\n', 1)
  return line.slice(0, MOST_CHARACTERS)
}

function firstText(result: Json): string | undefined {
  if (typeof result === 'string') return result
  if (!Array.isArray(result)) return undefined
  // The name of the error says less than its arguments.
  const [name = null, given = null] = result
  const [argument = null] = Array.isArray(given) ? given : []
  return firstText(argument) ?? firstText(name)
}
