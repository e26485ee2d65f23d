/**
 * Makes the description of the API as an OpenAPI document, laid out for readers;
 * the daemon serves the same at /2/openapi.json. The answers in it are those of
 * the sample cluster, and are kept in lib/openapi/example-answers.ts, as the
 * daemon has no sample cluster. Needs dist/ (npm run build).
 *
 *     node man/make-openapi.js            writes man/openapi.json and lib/openapi/example-answers.ts
 *     node man/make-openapi.js --print    prints the document instead
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readFileState } from '../dist/lib/backend/config-file/state/read-state.js'
import { stringifyJson } from '../dist/lib/json/json.js'
import { indexConfig } from '../dist/lib/model/config.js'
import { describeApi } from '../dist/lib/openapi/describe-api.js'
import { PATH_NAMES } from '../dist/lib/resources/path-names.js'
import { resources } from '../dist/lib/resources/table.js'
import { exampleAnswers } from '../dist/man/example-answers.js'
import { layOut } from '../dist/man/json-layout.js'
import { sampleBackend } from '../dist/man/sample.js'

const path = fileURLToPath(new URL('../test/fixtures/cluster.yaml', import.meta.url))
const config = indexConfig((await readFileState(path)).objects)
const names = Object.fromEntries(Object.entries(PATH_NAMES).map(([name, { example }]) => [name, example]))
const answers = await exampleAnswers(resources, { names, backend: sampleBackend(config) })
const text = `${layOut(await describeApi(resources, answers), 110)}\n`

if (process.argv.includes('--print')) process.stdout.write(text)
else {
  writeFileSync(new URL('openapi.json', import.meta.url), text)
  const file = new URL('../lib/openapi/example-answers.ts', import.meta.url)
  const [head] = readFileSync(file, 'utf8').split('{\n')
  const lines = Object.entries(answers).map(([id, answer]) => {
    const json = stringifyJson(answer).replaceAll('\\', '\\\\').replaceAll("'", "\\'")
    const property = `  ${id}: '${json}',\n`
    // As the formatter would have it.
    return property.length > 111 ? property.replace(': ', ':\n    ') : property
  })
  writeFileSync(file, `${head}{\n${lines.join('')}}\n`)
}
