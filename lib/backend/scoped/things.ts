/**
 * What selectors look at: an object's name and tags, and where it is. For each
 * kind, the fields that tell this, the question for those that are selected,
 * and whether one is.
 */
import { fits, fitsHost, type Selector, type SelectorKind } from '../../auth/selectors.ts'
import type { Json } from '../../json/json.ts'

export type ThingKind = 'group' | 'instance' | 'network' | 'node'

/** What is known of an object; of one that does not exist yet, that is what it will have. */
export interface Thing {
  readonly kind: ThingKind
  readonly name: string
  readonly tags: readonly string[]
  /** The primary node of an instance. */
  readonly node?: string | undefined
  /** The group of a node or of an instance's primary node; the groups that a network is connected to. */
  readonly groups: readonly string[]
}

/** Lists of selectors, of each of which one must select an object. */
export type Within = readonly (readonly Selector[])[]

/** The fields that say what `thingOf` needs to know. */
export const THING_FIELDS: { readonly [kind in ThingKind]: readonly string[] } = {
  group: ['name', 'tags'],
  instance: ['name', 'tags', 'pnode', 'pnode.group'],
  network: ['name', 'tags', 'group_list'],
  node: ['name', 'tags', 'group'],
}

/** Reads the values of these fields. */
export function thingOf(kind: ThingKind, values: readonly Json[]): Thing {
  const [name, tags, third = null, fourth = null] = values
  const thing = { kind, name: String(name), tags: textsIn(tags) }
  switch (kind) {
    case 'group':
      return { ...thing, groups: [thing.name] }
    case 'instance':
      return { ...thing, node: textsIn([third])[0], groups: textsIn([fourth]) }
    case 'network':
      // Each member has the group's name, then how it is connected.
      return {
        ...thing,
        groups: textsIn(
          Array.isArray(third)
            ? third.map((one) => (Array.isArray(one) ? (one as readonly Json[])[0] : one) ?? null)
            : [],
        ),
      }
    case 'node':
      return { ...thing, groups: textsIn([third]) }
  }
}

/** The texts in a list. */
export function textsIn(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

/** Whether a selector selects an object. */
export function selects({ kind, value }: Selector, thing: Thing): boolean {
  switch (kind) {
    case 'tag':
      return thing.tags.some((tag) => fits(value, tag))
    case 'group':
      return thing.groups.some((group) => fits(value, group))
    case 'instance':
      return thing.kind === 'instance' && fitsHost(value, thing.name)
    case 'node': {
      const node = thing.kind === 'node' ? thing.name : thing.node
      return node !== undefined && fitsHost(value, node)
    }
  }
}

export function isWithin(within: Within, thing: Thing): boolean {
  return within.every((selectors) => selectors.some((selector) => selects(selector, thing)))
}

/** Fields that name the node and the group of an object; without them, no object of the kind has one. */
const PLACE_FIELDS: {
  readonly [kind in 'instance' | 'node']: { readonly [by in SelectorKind]?: string }
} = {
  instance: { instance: 'name', node: 'pnode', group: 'pnode.group' },
  node: { node: 'name', group: 'group' },
}

/**
 * The filter for the objects that are within a scope.
 * @param tags all tags that objects of the kind have; needed for selectors by tag with a star, as filters cannot
 *   look for a pattern in a list
 */
export function filterOf(within: Within, kind: 'instance' | 'node', tags: readonly string[]): Json {
  return [
    '&',
    ...within.map((selectors) => ['|', ...selectors.flatMap((selector) => partOf(selector, kind, tags))]),
  ]
}

function partOf({ kind: by, value }: Selector, kind: 'instance' | 'node', tags: readonly string[]): Json[] {
  const hasStar = value.includes('*')
  if (by === 'tag') {
    const wanted = hasStar ? tags.filter((tag) => fits(value, tag)) : [value]
    return wanted.map((tag) => ['=[]', 'tags', tag])
  }
  const field = PLACE_FIELDS[kind][by]
  if (field === undefined) return []
  // For the name of a host, this finds what begins with it up to a dot as well.
  if (!hasStar) return [['=', field, value]]
  const pattern = value.replace(/[^\w*:@/-]/g, '\\$&').replaceAll('*', '.*')
  return [['=~', field, `^${pattern}${by === 'group' ? '' : '(\\..*)?'}$`]]
}
