/**
 * What selectors look at: an object's name and tags, and where it is. For each
 * kind, the fields that tell this, the question for those that are selected,
 * and whether one is.
 */
import { fitsSelector, type Selector, type SelectorKind } from '../../auth/selectors.ts'
import type { Json } from '../../json/json.ts'

export type ThingKind = 'group' | 'instance' | 'network' | 'node'

/** Kinds of objects that are asked for with a filter. */
export type Kind = 'instance' | 'node'

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
export function selects(selector: Selector, thing: Thing): boolean {
  switch (selector.kind) {
    case 'tag':
      return thing.tags.some((tag) => fitsSelector(selector, tag))
    case 'group':
      return thing.groups.some((group) => fitsSelector(selector, group))
    case 'instance':
      return thing.kind === 'instance' && fitsSelector(selector, thing.name)
    case 'node': {
      const node = thing.kind === 'node' ? thing.name : thing.node
      return node !== undefined && fitsSelector(selector, node)
    }
  }
}

export function isWithin(within: Within, thing: Thing): boolean {
  return within.every((selectors) => selectors.some((selector) => selects(selector, thing)))
}

/** The fields that selectors look at; without one, no object of the kind is selected. */
export const SELECTED_FIELDS: {
  readonly [kind in Kind]: { readonly [by in SelectorKind]?: string }
} = {
  instance: { tag: 'tags', instance: 'name', node: 'pnode', group: 'pnode.group' },
  node: { tag: 'tags', node: 'name', group: 'group' },
}

/**
 * The filter for the objects that are within a scope.
 * @param fitting for selectors with a star the values that fit, where they are known; by tag they must be
 */
export function filterOf(
  within: Within,
  kind: Kind,
  fitting: ReadonlyMap<Selector, readonly string[] | undefined>,
): Json {
  const partsOf = (selector: Selector): Json[] => {
    const { kind: by, value } = selector
    const field = SELECTED_FIELDS[kind][by]
    if (field === undefined) return []
    const values = value.includes('*') ? fitting.get(selector) : [value]
    // For the name of a host, this finds what begins with it up to a dot as well.
    if (values) return values.map((one) => [by === 'tag' ? '=[]' : '=', field, one])
    const pattern = value.replace(/[^\w*:@/-]/g, '\\$&').replaceAll('*', '.*')
    return [['=~', field, `^${pattern}${by === 'group' ? '' : '(\\..*)?'}$`]]
  }
  return ['&', ...within.map((selectors) => ['|', ...selectors.flatMap(partsOf)])]
}
