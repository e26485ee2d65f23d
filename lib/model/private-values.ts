/**
 * What answers about jobs leave out: the values of OS parameters that are
 * private or secret. Every user may ask about jobs, and a master daemon tells
 * all that was submitted; Ganeti's own clients leave these values out of every
 * answer, wherever in it they stand.
 */
import { isJsonObject, type Json, type JsonObject } from '../json/json.ts'

/** The same with null for each private or secret value; the names stay. What has none is given back as it is. */
export function withoutPrivateValues(value: Json): Json {
  if (Array.isArray(value)) {
    const items = value as readonly Json[]
    const shown = items.map(withoutPrivateValues)
    return shown.every((item, place) => item === items[place]) ? value : shown
  }
  if (!isJsonObject(value)) return value
  let same = true
  const shown = Object.entries(value).map(([key, inner]) => {
    const one = shownMember(key, inner)
    same &&= one === inner
    return [key, one] as const
  })
  return same ? value : Object.fromEntries(shown)
}

function shownMember(key: string, value: Json): Json {
  switch (key) {
    case 'osparams_private':
    case 'osparams_secret':
      return namesAlone(value)
    case 'osparams_private_cluster':
      return isJsonObject(value) ? mapValues(value, namesAlone) : value
    default:
      return withoutPrivateValues(value)
  }
}

/** Parameters without their values; Ganeti shows none at all in the same way. */
function namesAlone(params: Json): Json {
  return isJsonObject(params) ? mapValues(params, () => null) : {}
}

function mapValues(object: JsonObject, change: (value: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))
}
