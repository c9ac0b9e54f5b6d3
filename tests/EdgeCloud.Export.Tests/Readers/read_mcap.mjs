// Reads MCAP files with @mcap/core by their index and prints, for each topic, count, first and last log time and a digest of all messages.
// Standard input: the files' paths, one a line.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { McapIndexedReader } from '@mcap/core'
import { loadDecompressHandlers } from '@mcap/support'

const topics = {}
for (const path of readFileSync(0, 'utf8').trim().split('\n')) {
  const bytes = readFileSync(path)
  const readable = { size: async () => BigInt(bytes.length), read: async (offset, size) => bytes.subarray(Number(offset), Number(offset + size)) }
  const reader = await McapIndexedReader.Initialize({ readable, decompressHandlers: await loadDecompressHandlers() })
  for await (const message of reader.readMessages()) {
    const channel = reader.channelsById.get(message.channelId)
    const schema = reader.schemasById.get(channel.schemaId)
    const topic = topics[channel.topic] ??= { type: schema?.name ?? '', count: 0, first: String(message.logTime), hash: createHash('sha256') }
    topic.count++
    topic.last = String(message.logTime)
    topic.hash.update(`${message.logTime} ${message.publishTime} ${message.sequence} ${message.data.length}\n`)
    topic.hash.update(message.data)
  }
}
for (const topic of Object.values(topics)) topic.hash = topic.hash.digest('hex')
console.log(JSON.stringify(topics))
