// Decodes CDR messages with the TypeScript implementation that Foxglove and Lichtblick use.
// In: one JSON object per line {encoding, schema, payload (Base64)}. Out: one JSON value per line, or {"error": ...}.
import { createInterface } from "node:readline";
import rosmsg from "@foxglove/rosmsg";
import idl from "@foxglove/ros2idl-parser";
import serialization from "@foxglove/rosmsg2-serialization";

const readers = new Map();

function readerFor(encoding, schema) {
  const key = encoding + schema;
  if (!readers.has(key)) {
    const definitions = encoding === "ros2idl" ? idl.parseRos2idl(schema) : rosmsg.parse(schema, { ros2: true });
    readers.set(key, new serialization.MessageReader(definitions));
  }
  return readers.get(key);
}

function plain(value) {
  if (typeof value === "bigint") return { $integer: value.toString() };
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return { $integer: "-0" };
  if (ArrayBuffer.isView(value) || Array.isArray(value)) return Array.from(value, plain);
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
  return value;
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (line === "") continue;
  const { encoding, schema, payload } = JSON.parse(line);
  try {
    const message = readerFor(encoding, schema).readMessage(new Uint8Array(Buffer.from(payload, "base64")));
    console.log(JSON.stringify(plain(message)));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
