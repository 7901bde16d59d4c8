//! The hello: who left this, for whoever knows the same subject key (section 5.2). Fixed size, not CBOR:
//! count, eight references, length and bytes of the member's id, its signature.

use crate::crypto::{AEAD_NONCE_LEN, AEAD_TAG_LEN, Unopenable, open, seal};
use crate::field::join;
use crate::id::{MemberId, Reference, SLUG_MAX_LEN, Tag, byte_id};
use crate::label;
use crate::sealing::ExchangeKey;
use crate::sign::{BadSignature, Signature, SigningKey, VerifyingKey};
use crate::subject_key::{Scope, SubjectKey};
use crate::time::Day;

/// Most references in one hello: cases of one partner that share a person.
pub const REFERENCES_MAX: usize = 8;

const REFERENCES_LEN: usize = REFERENCES_MAX * Reference::LEN;
const PLAINTEXT_LEN: usize = 1 + REFERENCES_LEN + 1 + SLUG_MAX_LEN + Signature::LEN;

byte_id! {
    /// A hello as it is left: 242 bytes.
    SealedHello, 242
}
const _: () = assert!(SealedHello::LEN == PLAINTEXT_LEN + AEAD_TAG_LEN);

/// One key, one use: the key is bound to the mailbox, and a mailbox gets exactly one hello.
const NONCE: [u8; AEAD_NONCE_LEN] = [0; AEAD_NONCE_LEN];

/// What a hello is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// Where the subject key belongs.
    pub scope: &'a Scope,
    /// The submission's mailbox.
    pub mailbox: &'a ExchangeKey,
    /// The submission's withdraw key.
    pub withdraw_key: &'a VerifyingKey,
    /// The submission's last day.
    pub expiry: Day,
}

/// Who left a submission and for which of its cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// One reference per live case that holds this key; at most [`REFERENCES_MAX`], sorted.
    pub references: Vec<Reference>,
    /// The member and its signature, where the purpose discloses names at once.
    pub name: Option<(MemberId, Signature)>,
}

impl Hello {
    /// A hello with the member's name and signature, or without where the purpose hides it.
    ///
    /// # Panics
    /// If there are more than [`REFERENCES_MAX`] references; the caller chooses which to leave.
    #[must_use]
    pub fn new(
        mut references: Vec<Reference>,
        key: &SubjectKey,
        envelope: Envelope<'_>,
        name: Option<(&MemberId, &SigningKey)>,
    ) -> Self {
        assert!(references.len() <= REFERENCES_MAX, "the caller leaves at most {REFERENCES_MAX} references");
        references.sort_unstable();
        let message = signed_bytes(&references, key, envelope);
        let name = name.map(|(member, signing)| (member.clone(), signing.sign_bytes(&message)));
        Self { references, name }
    }

    /// Whether the named member signed this hello for this very submission.
    ///
    /// # Errors
    /// [`BadSignature`] also when there is no name.
    pub fn verify_name(
        &self,
        key: &SubjectKey,
        envelope: Envelope<'_>,
        member_key: &VerifyingKey,
    ) -> Result<(), BadSignature> {
        let (_, signature) = self.name.as_ref().ok_or(BadSignature)?;
        member_key.verify_bytes(&signed_bytes(&self.references, key, envelope), signature)
    }

    /// Seals it under the subject key.
    #[must_use]
    pub fn seal(&self, key: &SubjectKey, envelope: Envelope<'_>) -> SealedHello {
        let sealed = seal(&key.hello_key(envelope.mailbox), NONCE, &aad(envelope), &self.to_bytes());
        SealedHello::try_from(sealed.as_slice()).expect("plaintext and tag add up to the size of a hello")
    }

    /// Opens a hello found next to an equal tag.
    ///
    /// # Errors
    /// [`Unopenable`] when its maker did not know the subject key, or left it otherwise than it was posted.
    pub fn open(sealed: &SealedHello, key: &SubjectKey, envelope: Envelope<'_>) -> Result<Self, Unopenable> {
        let bytes = open(&key.hello_key(envelope.mailbox), NONCE, &aad(envelope), sealed.as_bytes())?;
        Self::from_bytes(&bytes).ok_or(Unopenable)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PLAINTEXT_LEN);
        bytes.push(u8::try_from(self.references.len()).expect("at most eight references"));
        self.references.iter().for_each(|reference| bytes.extend_from_slice(reference.as_bytes()));
        bytes.resize(1 + REFERENCES_LEN, 0);
        if let Some((member, signature)) = &self.name {
            bytes.push(u8::try_from(member.as_bytes().len()).expect("a slug has at most 32 bytes"));
            bytes.extend_from_slice(member.as_bytes());
            bytes.resize(2 + REFERENCES_LEN + SLUG_MAX_LEN, 0);
            bytes.extend_from_slice(signature.as_bytes());
        }
        bytes.resize(PLAINTEXT_LEN, 0);
        bytes
    }

    /// Reads what [`Self::to_bytes`] gives; the comparison at the end leaves one encoding per hello.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&count, rest) = bytes.split_first()?;
        let (references, rest) = rest.split_at_checked(REFERENCES_LEN)?;
        let references = references
            .chunks_exact(Reference::LEN)
            .take(count.into())
            .map(Reference::try_from)
            .collect::<Result<Vec<_>, _>>()
            .ok()?;
        let (&length, rest) = rest.split_first()?;
        let (member, signature) = rest.split_at_checked(SLUG_MAX_LEN)?;
        let name = if length == 0 {
            None
        } else {
            let id = std::str::from_utf8(member.get(..length.into())?).ok()?;
            Some((id.parse().ok()?, Signature::try_from(signature).ok()?))
        };
        let hello = Self { references, name };
        let sorted = hello.references.windows(2).all(|pair| pair[0] < pair[1]);
        (count as usize <= REFERENCES_MAX && count > 0 && sorted && hello.to_bytes() == bytes)
            .then_some(hello)
    }
}

fn aad(envelope: Envelope<'_>) -> Vec<u8> {
    join(&[envelope.mailbox.as_bytes(), &envelope.expiry.to_be_bytes(), envelope.withdraw_key.as_bytes()])
}

fn signed_bytes(references: &[Reference], key: &SubjectKey, envelope: Envelope<'_>) -> Vec<u8> {
    statement_bytes(&key.tag(), references, envelope)
}

/// `"kring/hello/v1" || network || epoch || purpose || matcher || tag || mailbox || withdraw_key || expiry || references`
pub(crate) fn statement_bytes(tag: &Tag, references: &[Reference], envelope: Envelope<'_>) -> Vec<u8> {
    let references: Vec<u8> = references.iter().flat_map(|reference| *reference.as_bytes()).collect();
    let scope = envelope.scope;
    join(&[
        label::HELLO,
        scope.network.as_bytes(),
        &scope.epoch.to_be_bytes(),
        scope.purpose.as_bytes(),
        scope.matcher.as_bytes(),
        tag.as_bytes(),
        envelope.mailbox.as_bytes(),
        envelope.withdraw_key.as_bytes(),
        &envelope.expiry.to_be_bytes(),
        &references,
    ])
}
