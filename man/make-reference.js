/**
 * Makes the reference of the API: a walk for beginners (walk.md), then the table
 * of resources, with requests to the sample cluster and what it answers. Needs
 * dist/ (npm run build).
 *
 *     node man/make-reference.js            writes man/ganeti-rapi-reference.md
 *     node man/make-reference.js --print    prints it instead
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readFileState } from '../dist/lib/backend/config-file/state/read-state.js'
import { indexConfig } from '../dist/lib/model/config.js'
import { reference } from '../dist/man/reference.js'
import { sampleBackend } from '../dist/man/sample.js'
import { PATH_NAMES } from '../dist/lib/resources/path-names.js'
import { resources } from '../dist/lib/resources/table.js'

const path = fileURLToPath(new URL('../test/fixtures/cluster.yaml', import.meta.url))
const config = indexConfig((await readFileState(path)).objects)
const names = Object.fromEntries(Object.entries(PATH_NAMES).map(([name, { example }]) => [name, example]))
const walk = readFileSync(new URL('walk.md', import.meta.url), 'utf8')
const text = await reference(resources, { names, backend: sampleBackend(config) }, walk)

if (process.argv.includes('--print')) process.stdout.write(text)
else writeFileSync(new URL('ganeti-rapi-reference.md', import.meta.url), text)
