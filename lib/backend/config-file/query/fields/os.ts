/** The fields of guest operating systems. */
import type { Json } from '../../../../json/json.ts'
import { niceSort } from '../../../../model/nice-sort.ts'
import type { Os } from '../../../../model/os.ts'
import { cellField, type Field, field, NO_DATA } from './field.ts'
import { anyValue, count, list, object, text, texts, tuple } from './value-schemas.ts'

export const osFields: readonly Field<Os>[] = [
  field('name', 'Name', 'text', 'Name of the OS, without variant', ({ name }) => name),
  field('valid', 'Valid', 'bool', 'Whether every node has it in working order', ({ valid }) => valid),
  field('hidden', 'Hidden', 'bool', 'Whether lists leave it out', ({ name }, { cluster }) =>
    cluster.hidden_os.includes(name),
  ),
  field(
    'blacklisted',
    'Blacklisted',
    'bool',
    'Whether no instance may be made with it',
    ({ name }, { cluster }) => cluster.blacklisted_os.includes(name),
  ),
  field('variants', 'Variants', texts, 'Its variants', ({ variants }) =>
    niceSort(variants, (variant) => variant),
  ),
  field('api_versions', 'ApiVersions', list(count), 'Versions of the OS interface it speaks', (os) =>
    [...os.api_versions].sort((a, b) => a - b),
  ),
  field(
    'parameters',
    'Parameters',
    list(tuple(text, text)),
    'Name and description of its parameters',
    ({ parameters }) => parameters,
  ),
  field(
    'os_hvp',
    'OsHypervisorParams',
    object,
    'Hypervisor parameters it changes, by variant',
    (os, { cluster }) => byVariant(os, cluster.os_hvp),
  ),
  field(
    'osparams',
    'OsParameters',
    object,
    'Parameters the cluster sets for it, by variant',
    (os, { cluster }) => byVariant(os, cluster.osparams),
  ),
  // Only nodes can tell these two.
  cellField('node_status', 'NodeStatus', anyValue, 'What each node says of it', () => NO_DATA),
  cellField('trusted', 'Trusted', 'bool', 'Whether its scripts may run outside a sandbox', () => NO_DATA),
]

/** What a setting by OS name says of the OS's variants, under their full names. */
function byVariant(os: Os, settings: { readonly [os: string]: Json }): Json {
  const names = os.variants.map((variant) => `${os.name}+${variant}`)
  return Object.fromEntries(
    names.flatMap((name) => {
      const setting = Object.hasOwn(settings, name) ? settings[name] : undefined
      return setting === undefined ? [] : [[name, setting]]
    }),
  )
}
