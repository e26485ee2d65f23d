import type { JsonObject } from '../../../../json/json.ts'

/**
 * Gives a section as it is to be.
 * @param entries its objects that are new or different; null for those that go
 * @param renamed new names by old ones
 */
export function sectionChanged(
  was: JsonObject,
  entries: ReadonlyMap<string, JsonObject | null>,
  renamed: ReadonlyMap<string, string>,
): JsonObject {
  const now = new Map(Object.entries(was).map(([name, value]) => [renamed.get(name) ?? name, value]))
  for (const [name, value] of entries) {
    if (value === null) now.delete(name)
    else now.set(name, value)
  }
  return Object.fromEntries(now)
}
