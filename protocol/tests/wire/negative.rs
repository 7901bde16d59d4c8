//! The kit for other implementations: encodings that must be read, and some that must be refused, each named after its
//! defect and with the step at which it is refused (`docs/protocol.md` section 2.3).

use kring_protocol::codec::{CodecError, Wire, decode, encode};
use kring_protocol::evidence::Evidence;
use kring_protocol::log::witness::message as witness;
use kring_protocol::submission::Submission;
use kring_protocol::{ceremony, evaluation};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vectors {
    accepted: Vec<Vector>,
    pub(crate) refused: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    pub(crate) name: String,
    /// As section 2.3 calls it.
    message: String,
    hex: String,
    /// The number of the receiver's step that refuses it.
    step: Option<u8>,
    why: String,
}

pub(crate) fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../golden/codec.json")).unwrap()
}

impl Vector {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        hex::decode(&self.hex).unwrap()
    }

    /// Reads `bytes` as this vector's message.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Result<(), CodecError> {
        fn reads<T: Wire>(bytes: &[u8]) -> Result<(), CodecError> {
            decode::<T>(bytes).map(|value| assert_eq!(encode(&value), bytes))
        }
        match self.message.as_str() {
            "ceremony request" => reads::<ceremony::Request>(bytes),
            "ceremony response" => reads::<ceremony::Response>(bytes),
            "evaluation request" => reads::<evaluation::Request>(bytes),
            "evaluation response" => reads::<evaluation::Response>(bytes),
            "submission" => reads::<Submission>(bytes),
            "evidence" => reads::<Evidence>(bytes),
            "witness request" => reads::<witness::Request>(bytes),
            other => panic!("{}: no message is called {other}", self.name),
        }
    }
}

/// The number of the step in section 2.3 that gives this error.
const fn step(error: CodecError) -> u8 {
    match error {
        CodecError::TooLong { .. } => 1,
        CodecError::Version(_) => 2,
        CodecError::Structure => 3,
        CodecError::Value => 4,
        CodecError::NotCanonical => 5,
    }
}

#[test]
fn every_vector_is_read_or_refused_at_its_step() {
    let Vectors { accepted, refused } = vectors();
    for vector in &accepted {
        assert_eq!(vector.decode(&vector.bytes()), Ok(()), "{}: {}", vector.name, vector.why);
        assert_eq!(vector.step, None, "{}", vector.name);
    }
    for vector in &refused {
        let found = vector.decode(&vector.bytes()).err().map(step);
        assert_eq!(found, vector.step, "{}: {}", vector.name, vector.why);
        assert_ne!(vector.step, None, "{}", vector.name);
    }
    let mut names: Vec<_> = accepted.iter().chain(&refused).map(|vector| &vector.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), accepted.len() + refused.len(), "a name names one vector");
}
