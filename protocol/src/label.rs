//! Every domain-separation label and signature context of Kring, in one place (`docs/protocol.md` section 2.2).
//!
//! A label is never reused for a second meaning. A change of meaning is a new version number.

/// OPRF input of a match key (section 4.1).
pub const SUBJECT: &[u8] = b"kring/subject/v1";
/// Subject key from the OPRF's output (section 4.4).
pub const SUBJECT_KEY: &[u8] = b"kring/subject-key/v1";
/// Tag from a subject key (section 5.1).
pub const TAG: &[u8] = b"kring/tag/v1";
/// Key of a hello, and the member's signature inside it (section 5.2).
pub const HELLO: &[u8] = b"kring/hello/v1";
/// Signature on the header of an evaluation request (section 4.2).
pub const HEADER: &[u8] = b"kring/header/v1";
/// A key holder's acknowledgement of a header (section 4.2).
pub const ACKNOWLEDGE: &[u8] = b"kring/acknowledge/v1";
/// A key holder's signature over its answer (section 4.3).
pub const ANSWER: &[u8] = b"kring/answer/v1";
/// Seed of a hedged proof nonce (section 4.3).
pub const NONCE: &[u8] = b"kring/nonce/v1";
/// HPKE info of a sealed submission (section 5.3).
pub const SUBMISSION: &[u8] = b"kring/submission/v1";
/// Sender's signature on a sealed submission handed to a relay (section 5.4).
pub const FORWARD: &[u8] = b"kring/forward/v1";
/// Relay's signature on what it passes on (section 5.4).
pub const RELAY: &[u8] = b"kring/relay/v1";
/// HPKE info and key labels of a ticket (section 5.5).
pub const TICKET: &[u8] = b"kring/ticket/v1";
/// Matcher's signature on a receipt (section 5.6).
pub const RECEIPT: &[u8] = b"kring/receipt/v1";
/// Export label of the key that seals a receipt (section 5.6).
pub const RECEIPT_KEY: &[u8] = b"kring/receipt-key/v1";
/// Withdrawal of a submission (section 5.7).
pub const WITHDRAW: &[u8] = b"kring/withdraw/v1";
/// What a node's withdraw keys are derived from, from its root (section 5.7).
pub const WITHDRAW_ROOT: &[u8] = b"kring/withdraw-root/v1";
/// A node's own withdraw keys, from its root (section 5.7).
pub const WITHDRAW_KEY: &[u8] = b"kring/withdraw-key/v1";
/// Replacement of a submission by a new mailbox (section 5.7).
pub const REPLACE: &[u8] = b"kring/replace/v1";
/// HPKE info and signature of a matcher's post (section 6.2).
pub const POST: &[u8] = b"kring/post/v1";
/// Match id from two references (section 6.4).
pub const MATCH: &[u8] = b"kring/match/v1";
/// What two mailboxes share besides their keys: salt of its derivation, and its HPKE `psk_id` (section 10.1).
pub const PSK: &[u8] = b"kring/psk/v1";
/// HPKE info of a message between two mailboxes (section 10.1).
pub const MESSAGE: &[u8] = b"kring/message/v1";
/// Seed of a message's encapsulation, so that sealing again gives the same bytes (section 10.1).
pub const MESSAGE_SEED: &[u8] = b"kring/message-seed/v1";
/// One-time addresses of one direction between two mailboxes (section 10.2).
pub const ADDRESS: &[u8] = b"kring/address/v1";
/// Names a pair of mailboxes to both its sides (section 10.7).
pub const PAIR: &[u8] = b"kring/pair/v1";
/// A member's signature on a contact card (section 10.8).
pub const CARD: &[u8] = b"kring/card/v1";
/// A matcher's weekly key (section 5.3).
pub const WEEKLY_KEY: &[u8] = b"kring/weekly-key/v1";
/// Covenant signatures (section 3.2).
pub const COVENANT: &[u8] = b"kring/covenant/v1";
/// The members-only annex (section 3.2).
pub const ANNEX: &[u8] = b"kring/annex/v1";
/// Member card signature (section 3.1).
pub const MEMBER: &[u8] = b"kring/member/v1";
/// Session id of a key ceremony (section 3.4).
pub const CEREMONY: &[u8] = b"kring/ceremony/v1";
/// A key holder's signature on the nonce with which it enters a ceremony (section 3.4).
pub const CEREMONY_NONCE: &[u8] = b"kring/ceremony-nonce/v1";
/// Randomness of one key's polynomial, from a holder's seed and the session (section 3.4).
pub const CEREMONY_SEED: &[u8] = b"kring/ceremony-seed/v1";
/// A participant's signature on a ceremony package (section 3.4).
pub const CEREMONY_PACKAGE: &[u8] = b"kring/ceremony-package/v1";
/// A key holder's signature on the transcript of a ceremony (section 3.4).
pub const CEREMONY_TRANSCRIPT: &[u8] = b"kring/ceremony-transcript/v1";
/// All holders' signature on a key record (section 3.5).
pub const KEY_RECORD: &[u8] = b"kring/key-record/v1";
/// Where in the day a member's fixed times lie (section 11.1).
pub const SPREAD: &[u8] = b"kring/spread/v1";
/// A matcher's signature on what it kept of a submission (section 7.5).
pub const KEPT: &[u8] = b"kring/kept/v1";
/// All that a matcher gets of a canary, from its seed (section 12.1).
pub const CANARY: &[u8] = b"kring/canary/v1";
/// What a record of evidence is about (section 7.5).
pub const EVIDENCE: &[u8] = b"kring/evidence/v1";
/// A complaint: its signatures, its id, and HPKE info of the subject key in it (section 13.1).
pub const COMPLAINT: &[u8] = b"kring/complaint/v1";
/// A trace key holder's signature on an answer (section 13.3).
pub const TRACE: &[u8] = b"kring/trace/v1";
/// A matcher's signature on a report of a crowd (section 13.4).
pub const CROWD: &[u8] = b"kring/crowd/v1";
/// A trace key holder's signature on a ruling (section 13.4).
pub const RULING: &[u8] = b"kring/ruling/v1";
/// A trace key holder's signature on one removal of a ruling (section 13.4).
pub const REMOVAL: &[u8] = b"kring/removal/v1";
/// Leaf commitment of an audit entry (section 7.2).
pub const AUDIT: &[u8] = b"kring/audit/v1";

// What a node seals for itself; no other node sees these (section 2.2 lists them so that none gets a second meaning).

/// Wrapping of a key in a slot file.
pub const SLOT: &[u8] = b"kring/slot/v1";
/// Sealing of a stored record.
pub const RECORD: &[u8] = b"kring/record/v1";
/// Key of the hashes that stand for identifiers in the keys of stored records.
pub const INDEX: &[u8] = b"kring/index/v1";
/// Sealing of a node's identity file.
pub const IDENTITY: &[u8] = b"kring/identity/v1";
/// A node's trace key from its root secret.
pub const TRACE_KEY: &[u8] = b"kring/trace-key/v1";
/// The moments of a node's slots, from a secret of its own (section 11.2).
pub const MOMENT: &[u8] = b"kring/moment/v1";
/// In which round of a week a node draws a canary, from a secret of its own (section 12.2).
pub const CANARY_ROUND: &[u8] = b"kring/canary-round/v1";
