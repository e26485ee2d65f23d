/**
 * Makes the reference of the API: the table of resources, with what the sample
 * cluster answers. Needs dist/ (npm run build).
 *
 *     node man/make-reference.js            writes man/ganeti-rapi-reference.md
 *     node man/make-reference.js --print    prints it instead
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { configFileBackend } from '../dist/lib/backend/config-file/config-file-backend.js'
import { readFileState } from '../dist/lib/backend/config-file/state/read-state.js'
import { Failure } from '../dist/lib/failure.js'
import { indexConfig } from '../dist/lib/model/config.js'
import { reference } from '../dist/man/reference.js'
import { resources } from '../dist/lib/resources/table.js'

const path = fileURLToPath(new URL('../test/fixtures/cluster.yaml', import.meta.url))
const config = indexConfig((await readFileState(path)).objects)
const sample = configFileBackend(() => config)
const names = {
  instance_name: 'web.example.com',
  node_name: 'node1.example.com',
  group_name: 'default',
  network_name: 'front',
  filter_uuid: config.filters[0].uuid,
  resource: 'instance',
}

const text = await reference(resources, {
  names,
  backend: {
    ...sample,
    submitJob: async () => {
      throw new Failure('unavailable', 'An example is not worth a job')
    },
    // Of the machine this runs on, and so not the same everywhere.
    queryClusterInfo: async () => ({ ...(await sample.queryClusterInfo()), architecture: ['64bits', 'x86_64'] }),
  },
})

if (process.argv.includes('--print')) process.stdout.write(text)
else writeFileSync(new URL('ganeti-rapi-reference.md', import.meta.url), text)
