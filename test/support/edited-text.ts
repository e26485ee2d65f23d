/** What becomes of the text of a cluster's YAML file through a change. */

import { makeYamlText } from '../../lib/backend/config-file/yaml/document/make-yaml-text.ts'
import type { YamlText } from '../../lib/backend/config-file/yaml/document/yaml-text.ts'
import { readYamlText } from '../../lib/backend/config-file/yaml/read/read-yaml.ts'
import { writeChange } from '../../lib/backend/config-file/yaml/write/write-change.ts'
import type { Change } from '../../lib/model/change.ts'
import { type Config, indexConfig } from '../../lib/model/config.ts'
import type { Instance } from '../../lib/model/instance.ts'

/** @param mtime of the file, seconds since the epoch */
export function readText(text: string, mtime = 1_790_000_000): { text: YamlText; config: Config } {
  const { objects, cuts } = readYamlText(text, { name: 'cluster.yaml', mtime })
  return { text: makeYamlText(text, cuts), config: indexConfig(objects) }
}

/**
 * Gives the text after a change; reads it again, too.
 * @throws Failure where it cannot be written, or cannot be read any more
 */
export function textAfter(text: string, change: (config: Config) => Change): string {
  const before = readText(text)
  const after = writeChange(before.text, before.config, change(before.config)).text.toString()
  readText(after)
  return after
}

/** A change of one instance; null removes it. */
export function ofInstance(
  name: string,
  change: ((instance: Instance) => Partial<Instance>) | null,
): (config: Config) => Change {
  return ({ instances }) => {
    const instance = instances.byName.get(name)
    if (!instance) throw new Error(`there is no instance ${name}`)
    return { instances: new Map([[instance.uuid, change && { ...instance, ...change(instance) }]]) }
  }
}
