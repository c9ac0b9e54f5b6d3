// Opens recordings as Foxglove and Lichtblick do, by index, and decodes every message.
// In: a path per line. Out: one JSON value: by topic the schema's name, the number of messages, and of each what tells it from the others.
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { McapIndexedReader } from "@mcap/core";
import rosmsg from "@foxglove/rosmsg";
import idl from "@foxglove/ros2idl-parser";
import serialization from "@foxglove/rosmsg2-serialization";

class FileReadable {
  constructor(handle) {
    this.handle = handle;
  }
  async size() {
    return BigInt((await this.handle.stat()).size);
  }
  async read(offset, size) {
    const buffer = new Uint8Array(Number(size));
    await this.handle.read(buffer, 0, buffer.length, Number(offset));
    return buffer;
  }
}

function readerOf(schema) {
  const text = new TextDecoder().decode(schema.data);
  const definitions = schema.encoding === "ros2idl" ? idl.parseRos2idl(text) : rosmsg.parse(text, { ros2: true });
  // This decoder refuses wide text, on which middlewares disagree.
  if (text.includes("wstring")) return { readMessage: (data) => ({ data }) };
  return new serialization.MessageReader(definitions);
}

function mark(message) {
  if (message.data?.length !== undefined && typeof message.data !== "string") return message.data.length;
  return message.data ?? message.text ?? message.transforms?.map((t) => t.child_frame_id).join(" ") ?? message.header?.stamp.sec;
}

const topics = {};
for await (const path of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (path === "") continue;
  const handle = await open(path);
  const reader = await McapIndexedReader.Initialize({ readable: new FileReadable(handle) });
  if (reader.header.profile !== "ros2") throw new Error(`${path}: profile ${reader.header.profile}`);
  const decoders = new Map();
  for await (const message of reader.readMessages()) {
    const channel = reader.channelsById.get(message.channelId);
    const schema = reader.schemasById.get(channel.schemaId);
    if (!decoders.has(channel.id)) decoders.set(channel.id, readerOf(schema));
    const topic = (topics[channel.topic] ??= { type: schema.name, encoding: schema.encoding, metadata: Object.fromEntries(channel.metadata), marks: [] });
    topic.marks.push(mark(decoders.get(channel.id).readMessage(message.data)));
  }
  await handle.close();
}
console.log(JSON.stringify(topics));
