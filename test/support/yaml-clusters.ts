/** Clusters in YAML for tests of what is read of them. */
import { readFileSync } from 'node:fs'
import { readYaml } from '../../lib/backend/config-file/yaml/read/read-yaml.ts'
import type { ConfigObjects } from '../../lib/model/config.ts'

/** The sample cluster. */
export const sample = readFileSync(new URL('../../../test/fixtures/cluster.yaml', import.meta.url), 'utf8')

/** Reads a cluster whose file was changed at 1000. */
export function read(text: string): ConfigObjects {
  return readYaml(text, { name: 'cluster.yaml', mtime: 1000 })
}

/** The object of this name. */
export function find<T extends { name: string }>(objects: readonly T[], name: string): T {
  const object = objects.find((one) => one.name === name)
  if (!object) throw new Error(`no ${name}`)
  return object
}

/** Two nodes. */
export const SMALL = 'cluster: {name: c}\nnodes: {n1: {primary_ip: 192.0.2.1}, n2: {primary_ip: 192.0.2.2}}\n'
