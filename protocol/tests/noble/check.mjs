// Checks evaluations of Kring with an independent implementation: node check.mjs NODE_MODULES < lines.
// A line is {key, inputs, outputs} (whole key) or {public, blinded, evaluated, proof} (one holder); all in hex.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';

const module = pathToFileURL(resolve(process.argv[2], '@noble/curves/ed25519.js'));
const { voprf } = (await import(module)).ristretto255_oprf;
const { ristretto255 } = await import(module);
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (raw) => Buffer.from(raw).toString('hex');

function wholeKey({ key, inputs, outputs }) {
  const secret = bytes(key);
  const publicKey = ristretto255.Point.BASE.multiply(ristretto255.Point.Fn.fromBytes(secret)).toBytes();
  return inputs.every((input, place) => {
    const { blind, blinded } = voprf.blind(bytes(input));
    const { evaluated, proof } = voprf.blindEvaluate(secret, publicKey, blinded);
    return hex(voprf.finalize(bytes(input), blind, evaluated, blinded, publicKey, proof)) === outputs[place];
  });
}

function oneHolder({ public: publicKey, blinded, evaluated, proof }) {
  const one = bytes('01'.padEnd(64, '0')); // the blind plays no part in the proof
  const item = (element, place) =>
    ({ input: bytes('00'), blind: one, blinded: bytes(element), evaluated: bytes(evaluated[place]) });
  try {
    return voprf.finalizeBatch(blinded.map(item), bytes(publicKey), bytes(proof)).length === blinded.length;
  } catch {
    return false;
  }
}

for (const line of readFileSync(0, 'utf8').trim().split('\n')) {
  const check = JSON.parse(line);
  console.log(check.key ? wholeKey(check) : oneHolder(check));
}
