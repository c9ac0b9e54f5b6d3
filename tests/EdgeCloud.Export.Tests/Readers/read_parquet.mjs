// Reads an export of Parquet with hyparquet and prints digests of all values, as read_export.py does. Standard input: the folder.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

const folder = readFileSync(0, 'utf8').trim()
const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
const types = {}
for (const table of manifest.tables) types[table.name] = Object.fromEntries(table.columns.map(c => [c.name, c.type]))
for (const topic of manifest.topics) types[topic.table] ??= Object.fromEntries(topic.columns.map(c => [c.name, c.type]))

const streams = {}
function put(table, name, text) {
  const stream = (streams[table] ??= {})[name] ??= { count: 0, first: text, hash: createHash('sha256') }
  stream.count++
  stream.last = text
  stream.hash.update(text + '\n')
}

const bits = new DataView(new ArrayBuffer(8))
function scalar(value, type) {
  if (value === null || value === undefined) return 'null'
  if (type.startsWith('float')) {
    if (Number.isNaN(value)) return 'f:nan'
    bits.setFloat64(0, value)
    return 'f:' + bits.getBigUint64(0).toString(16).padStart(16, '0')
  }
  if (type === 'uint64') return BigInt.asUintN(64, BigInt(value)).toString()
  if (type === 'uint32') return (Number(value) >>> 0).toString()
  return type === 'text' ? 's:' + value : String(value)
}

function split(text) {
  const parts = []
  let depth = 0, start = 0
  for (let i = 0; i <= text.length; i++) {
    if (text[i] === '<') depth++
    if (text[i] === '>') depth--
    if (i === text.length || (text[i] === ',' && depth === 0)) {
      const part = text.slice(start, i).trim()
      parts.push([part.slice(0, part.indexOf(' ')), part.slice(part.indexOf(' ') + 1)])
      start = i + 1
    }
  }
  return parts
}

function add(table, name, value, type) {
  if (value === null || value === undefined) {
    put(table, name, 'null')
  } else if (type.startsWith('list<')) {
    put(table, name + '#len', String(value.length))
    for (const item of value) add(table, name, item, type.slice(5, type.lastIndexOf('>')))
  } else if (type.startsWith('struct<')) {
    for (const [field, fieldType] of split(type.slice(7, -1))) add(table, `${name}.${field}`, value[field], fieldType)
  } else {
    put(table, name, scalar(value, type))
  }
}

// Times stay the integers that they are in the file.
const parsers = {
  timestampFromNanoseconds: ns => ns, timestampFromMicroseconds: us => us * 1000n, timestampFromMilliseconds: ms => ms * 1000000n,
  dateFromDays: d => d, stringFromBytes: b => b && new TextDecoder().decode(b),
}
for (const file of manifest.files) {
  if (!file.name.endsWith('.parquet')) continue
  const bytes = readFileSync(join(folder, file.name))
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  const metadata = parquetMetadata(buffer)
  const about = Object.fromEntries(metadata.key_value_metadata.map(pair => [pair.key, pair.value]))
  if (about['edgecloud.topic'] === undefined || !about['edgecloud.columns']) throw new Error(`${file.name} does not say what it is`)
  if (!metadata.row_groups.every(g => g.columns.every(c => c.meta_data.codec === 'ZSTD'))) throw new Error(`${file.name} is not zstd`)
  for (const name of Object.keys(types[file.table])) if (!metadata.schema.some(s => s.name === name)) throw new Error(`${file.name} has no ${name}`)
  const rows = await parquetReadObjects({ file: buffer, compressors, parsers, utf8: false })
  for (const row of rows) for (const [name, type] of Object.entries(types[file.table])) add(file.table, name, row[name], type)
}
const digests = Object.fromEntries(Object.entries(streams).map(([table, all]) => [table, Object.fromEntries(
  Object.entries(all).map(([name, s]) => [name, [s.count, s.first, s.last, s.hash.digest('hex')]]))]))
console.log(JSON.stringify(digests))
