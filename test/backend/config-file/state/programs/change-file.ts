/**
 * Does with a cluster's file what the daemon does, as whoever it is run as:
 * change-file.js FILE. Prints a JSON object: the lines of the report, whether a
 * job was `refused` (with its message), or how the job's write `ended`.
 */
import { readFileSync } from 'node:fs'
import { ClusterFile } from '../../../../../lib/backend/config-file/state/cluster-file.ts'
import { ConfigLoader } from '../../../../../lib/backend/config-file/state/config-loader.ts'
import { changesReporter } from '../../../../../lib/backend/config-file/state/report-changes.ts'
import type { YamlText } from '../../../../../lib/backend/config-file/yaml/document/yaml-text.ts'
import { messageChain } from '../../../../../lib/failure.ts'

const path = process.argv[2] as string
const file = new ClusterFile([path], new ConfigLoader(), false)
await file.load()
const report: string[] = []
const log = {
  info: (line: string) => report.push(`INFO ${line}`),
  warning: (line: string) => report.push(`WARNING ${line}`),
}
await changesReporter(file, file, log)()
const refused = await file.checkWritable().then(
  () => undefined,
  (error) => String(error.message),
)
// Twice, as the second change is one of what the first one left.
const ended: string[] = []
for (let change = 1; change <= 2 && refused === undefined; change++) {
  const bytes = Buffer.from(`${readFileSync(path)}# change ${change}\n`)
  const prepared = await file.prepare({ toBytes: () => bytes } as YamlText, file.current).catch(messageChain)
  if (typeof prepared === 'string') ended.push(prepared)
  else ended.push(await prepared.commit().then(() => 'written', messageChain))
}
process.stdout.write(JSON.stringify({ report, refused, ended }))
