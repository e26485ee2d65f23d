/**
 * Changes of a text that cannot be cut into pieces, since what stands in one
 * place of it means something in another. It is edited as a whole, and the
 * result read as a start would read it. Takes as long as reading the file.
 */
import { Failure } from '../../../../failure.ts'
import { equalJson, isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import { readYamlText } from '../read/read-yaml.ts'
import { CannotEdit } from '../syntax/cannot-edit.ts'
import { SECTIONS } from '../syntax/yaml-cuts.ts'
import { type EditOptions, editYaml } from '../syntax/yaml-edit.ts'
import { sectionChanged } from './section-changed.ts'
import type { YamlChange } from './yaml-text.ts'

/**
 * Gives the text changed.
 * @param changes one after the other
 * @throws CannotEdit where it does not come out right
 */
export function editWhole(text: string, changes: readonly YamlChange[]): string {
  const renamed = renamesOf(changes)
  const coarsely = (outermost: string) => (SECTIONS.some((section) => section === outermost) ? 2 : 1)
  const ways: readonly EditOptions[] = [{ renamed }, { renamed, coarseBelow: coarsely }]
  for (const options of ways) {
    let wanted: JsonObject = {}
    const change = (value: Json) => {
      wanted = changes.reduce(changedValue, isJsonObject(value) ? value : {})
      return wanted
    }
    try {
      const proposal = editYaml(text, change, options)
      if (equalJson(readYamlText(proposal, { name: 'the file as it would be' }).value, wanted))
        return proposal
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
  }
  throw new CannotEdit()
}

function changedValue(value: JsonObject, { keys, entries, renamed }: YamlChange): JsonObject {
  const now = new Map(Object.entries(value))
  for (const [section, members] of entries) {
    const was = now.get(section) ?? null
    const objects = sectionChanged(isJsonObject(was) ? was : {}, members, renamed.get(section) ?? new Map())
    now.set(section, Object.keys(objects).length === 0 ? null : objects)
  }
  for (const [key, one] of keys) {
    if (one === null) now.delete(key)
    else now.set(key, one)
  }
  return Object.fromEntries(now)
}

/** What becomes of names by way of all changes; those that first stood in one of them are left out. */
function renamesOf(changes: readonly YamlChange[]): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const all = new Map<string, Map<string, string>>(SECTIONS.map((section) => [section, new Map()]))
  for (const { renamed } of changes) {
    for (const [section, names] of renamed) {
      const known = all.get(section) as Map<string, string>
      for (const [from, to] of names) {
        const first = [...known].find(([, latest]) => latest === from)?.[0]
        if (first !== undefined) known.set(first, to)
        else if (!known.has(from)) known.set(from, to)
      }
    }
  }
  return all
}
