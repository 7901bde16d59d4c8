//! The fence around CBOR against a second reader: of arbitrary bytes, `decode` takes exactly those that another library
//! reads and writes back unchanged, and that keep section 2.3 of `docs/protocol.md`.

#![no_main]

use std::fmt;

use ciborium::Value;
use kring_fuzz::{golden, seeds};
use kring_protocol::codec::{Wire, decode, encode};
use libfuzzer_sys::fuzz_target;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};

/// Deepest nesting of lists and maps (section 2.3).
const MAX_DEPTH: usize = 16;

/// Any item that section 2.3 allows.
#[derive(Debug)]
enum Item {
    Null,
    Bool(bool),
    Unsigned(u64),
    Negative(i128),
    Bytes(Vec<u8>),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Wire for Item {
    const MAX_LEN: usize = 1 << 16;
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
            Self::Negative(value) => serializer.serialize_i128(*value),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }

    fn visit_unit<E>(self) -> Result<Item, E> {
        Ok(Item::Null)
    }

    fn visit_none<E>(self) -> Result<Item, E> {
        Ok(Item::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Item, E> {
        Ok(Item::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Item, E> {
        Ok(Item::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Item, E> {
        Ok(Item::Negative(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Item, E> {
        Ok(Item::Negative(value))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Item, E> {
        Ok(Item::Bytes(bytes.to_vec()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Item, E> {
        Ok(Item::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Item, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Item::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Item::Map(entries))
    }
}

/// Whether nothing in a value is of a kind that no message has, nor nested too deep.
fn allowed(value: &Value, depth: usize) -> bool {
    match value {
        Value::Integer(_) | Value::Bytes(_) | Value::Text(_) | Value::Bool(_) | Value::Null => true,
        Value::Array(items) => depth < MAX_DEPTH && items.iter().all(|item| allowed(item, depth + 1)),
        Value::Map(entries) => {
            let mut entries = entries.iter();
            depth < MAX_DEPTH && entries.all(|(key, value)| key.is_text() && allowed(value, depth + 1))
        }
        _ => false,
    }
}

/// What the other library says of the bytes.
fn is_canonical(item: &[u8]) -> bool {
    let mut rest = item;
    let Ok(value) = ciborium::from_reader::<Value, _>(&mut rest) else { return false };
    let mut written = Vec::new();
    ciborium::into_writer(&value, &mut written).is_ok_and(|()| written == item && allowed(&value, 0))
}

fn inputs() -> Vec<Vec<u8>> {
    let boards = golden(include_str!("../../../protocol/tests/golden/board.txt"));
    let covenants = golden(include_str!("../../../protocol/tests/golden/covenant.txt"));
    let records = golden(include_str!("../../../protocol/tests/golden/record.txt"));
    let mut seeds: Vec<_> = boards.chain(covenants).chain(records).map(|(_, bytes)| bytes).collect();
    seeds.extend(seeds.clone().iter().map(|bytes| bytes[1..].to_vec()));
    seeds
}

fn run(item: &[u8]) {
    let message = [&[Item::VERSION], item].concat();
    if message.len() <= Item::MAX_LEN {
        let read = decode::<Item>(&message);
        assert_eq!(read.is_ok(), is_canonical(item), "{read:?}");
        if let Ok(value) = read {
            assert_eq!(encode(&value), message);
        }
    }
}

fuzz_target!(init: seeds(inputs), |item: &[u8]| run(item));
