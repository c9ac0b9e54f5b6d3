// Reads and writes MCAP files with @mcap/core, for comparison with EdgeCloud.Mcap.
//   node interop.mjs NODE_MODULES read FILE...      one line of JSON per file: what was read, by index and streaming
//   node interop.mjs NODE_MODULES write SPEC OUT    writes the file that the JSON in SPEC describes
import fs from "node:fs";
import fsp from "node:fs/promises";
import { createRequire } from "node:module";

const [modules, mode, ...paths] = process.argv.slice(2);
const load = createRequire(`${modules}/`);
const { McapIndexedReader, McapStreamReader, McapWriter } = load("@mcap/core");
const { loadDecompressHandlers } = load("@mcap/support");
const decompressHandlers = await loadDecompressHandlers();

const plain = (message) => [
  message.channelId,
  message.sequence,
  String(message.logTime),
  String(message.publishTime),
  Buffer.from(message.data).toString("hex").toUpperCase(),
];

function stream(bytes) {
  const reader = new McapStreamReader({ validateCrcs: true, decompressHandlers });
  reader.append(bytes);
  const found = { messages: [], attachments: [], metadata: [] };
  for (let record; (record = reader.nextRecord()); ) {
    if (record.type === "Message") found.messages.push(plain(record));
    if (record.type === "Attachment") found.attachments.push([record.name, Buffer.from(record.data).toString("hex").toUpperCase()]);
    if (record.type === "Metadata") found.metadata.push([record.name, Object.fromEntries(record.metadata)]);
  }
  if (!reader.done()) throw new Error("the stream reader is not done");
  return found;
}

async function index(bytes) {
  const readable = {
    size: async () => BigInt(bytes.length),
    read: async (offset, size) => bytes.subarray(Number(offset), Number(offset + size)),
  };
  const reader = await McapIndexedReader.Initialize({ readable, decompressHandlers });
  const messages = [];
  for await (const message of reader.readMessages()) messages.push(plain(message));
  return messages;
}

async function read(path) {
  const bytes = new Uint8Array(await fsp.readFile(path));
  const found = stream(bytes);
  const indexed = path.includes(".indexed.") ? await index(bytes) : null;
  console.log(JSON.stringify({ ...found, indexed }));
}

async function write(spec, out) {
  const { options, channels, messages } = JSON.parse(await fsp.readFile(spec, "utf8"));
  const file = fs.openSync(out, "w");
  let position = 0n;
  const writer = new McapWriter({
    writable: {
      position: () => position,
      write: async (bytes) => {
        fs.writeSync(file, bytes);
        position += BigInt(bytes.length);
      },
    },
    ...options,
  });
  await writer.start({ profile: "ros2", library: "interop" });
  const schema = await writer.registerSchema({ name: "demo", encoding: "ros2msg", data: Buffer.from("int32 a") });
  const ids = [];
  for (const topic of channels)
    ids.push(await writer.registerChannel({ topic, schemaId: schema, messageEncoding: "cdr", metadata: new Map([["k", topic]]) }));
  for (const [channel, sequence, logTime, publishTime, data] of messages)
    await writer.addMessage({ channelId: ids[channel], sequence, logTime: BigInt(logTime), publishTime: BigInt(publishTime), data: Buffer.from(data, "hex") });
  await writer.addAttachment({ name: "a.txt", mediaType: "text/plain", logTime: 1n, createTime: 2n, data: Buffer.from("text") });
  await writer.addMetadata({ name: "m", metadata: new Map([["x", "y"]]) });
  await writer.end();
  fs.closeSync(file);
}

if (mode === "read") for (const path of paths) await read(path);
else for (let i = 0; i < paths.length; i += 2) await write(paths[i], paths[i + 1]);
