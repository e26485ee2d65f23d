/**
 * Makes the description of the API as an OpenAPI document, laid out for readers;
 * the daemon serves the same at /2/openapi.json. Needs dist/ (npm run build).
 *
 *     node man/make-openapi.js            writes man/openapi.json
 *     node man/make-openapi.js --print    prints it instead
 */
import { writeFileSync } from 'node:fs'
import { describeApi } from '../dist/lib/openapi/describe-api.js'
import { resources } from '../dist/lib/resources/table.js'
import { layOut } from '../dist/man/json-layout.js'

const text = `${layOut(describeApi(resources), 110)}\n`

if (process.argv.includes('--print')) process.stdout.write(text)
else writeFileSync(new URL('openapi.json', import.meta.url), text)
