//! The key ceremony: all OPRF keys of one epoch, made by their holders together (`docs/protocol.md` section 3.4).
//!
//! ```text
//!   enter     every holder draws a nonce and signs it; all nonces and the keys to be made give the session id
//!   round 1   every holder commits to a polynomial per key, for all to see
//!   round 2   every holder gives each other holder its share, for that holder's eyes only
//!   saving    it checks all shares, adds them up, and stores them with what it is about to sign
//!   round 3   it signs the key records and a hash of all it has seen; with every holder's signature there, it is done
//! ```
//!
//! The machine is pulled: every holder answers with what it has and asks every other until it is done, in any order and
//! as often as it likes. A holder may stop at any moment. Before *saving* it comes back with a new nonce, and the others
//! start that session anew; after *saving* it goes on where it was. No share is handed out before every holder has
//! signed, so a ceremony that stops leaves the old keys in use. A holder that sends something wrong is named, with what
//! it signed.
//!
//! # In scope
//! The rounds, the messages, the key records, who is at fault.
//!
//! # Out of scope
//! Transport, which must be encrypted and must authenticate the sender, because shares travel in it; when to ask; what
//! the covenant says about who holds which key.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use rand_core::{CryptoRng, RngCore};

use crate::codec;
use crate::id::{CovenantHash, Epoch, MemberId, NetworkId};
use crate::secret::Secret;
use crate::sign::{SigningKey, VerifyingKey};

mod dkg;
pub mod fault;
mod kept;
pub mod message;
pub mod progress;
mod proof;
pub mod record;
mod running;
mod session;
pub mod spec;

pub use fault::{Abort, Evidence, Fault};
pub use kept::KeptBytes;
pub use message::{Finished, KEYS_MAX, Nonce, Request, Response, SessionId};
pub use progress::{Note, Progress, Stage};
pub use record::{KeyRecord, Point, RecordError, SignedKeyRecord, VerifiedKeyRecord};
pub use spec::{KeyId, KeySpec, Party, SpecError, derive_specs};

use kept::{Kept, KeptFinished};
use running::Running;

/// What a ceremony is about, and who this node is in it. The same for all holders but for the last two fields.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The network.
    pub network: NetworkId,
    /// The covenant that orders the ceremony.
    pub covenant: CovenantHash,
    /// The epoch whose keys are made.
    pub epoch: Epoch,
    /// The keys to be made.
    pub specs: Vec<KeySpec>,
    /// Everyone who will hold a share of at least one of them, with the keys they sign with.
    pub holders: BTreeMap<MemberId, VerifyingKey>,
    /// This node's member.
    pub me: MemberId,
    /// What it signs with.
    pub signing_key: Arc<SigningKey>,
}

/// Why a ceremony cannot start on this node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// This node is to hold no key, so it has no part in the ceremony.
    #[error("{0} is not a key holder of this epoch")]
    NotAHolder(MemberId),
    /// The signing key is not the one the others know this node by.
    #[error("the signing key of this node is not the one the covenant names")]
    SigningKey,
    /// No keys, more than [`KEYS_MAX`], or one twice.
    #[error("a ceremony makes 1 to {KEYS_MAX} different keys")]
    Keys,
    /// The holders given are not exactly those of the keys.
    #[error("the holders of the ceremony are not exactly the holders of its keys")]
    Holders,
    /// The kept state is of another ceremony: another network, covenant, epoch or set of keys.
    #[error("the kept state belongs to another ceremony")]
    OtherCeremony,
    /// The kept state does not decode or does not hold together.
    #[error("the kept state of the ceremony is damaged; start a new epoch")]
    Damaged,
}

/// What the caller must do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Store this in place of what was kept before, then call [`Ceremony::persisted`].
    Persist {
        /// To be handed back.
        session: SessionId,
        /// Secret.
        kept: KeptBytes,
    },
    /// The keys are made.
    Complete(Outcome),
    /// The ceremony has stopped; the old keys stay in use.
    Abort(Abort),
}

/// The keys of an epoch, to be stored in one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The records of all keys, those of other holders too, signed by all their holders.
    pub records: Vec<SignedKeyRecord>,
    /// This node's shares: canonical scalars.
    pub shares: Vec<(KeyId, Secret<32>)>,
    /// To be stored in place of what was kept before, so that this node can still help others to finish. Not secret.
    pub kept: KeptBytes,
    finished: Finished,
}

/// One node's part in making the keys of one epoch.
///
/// Until [`Effect::Complete`] or [`Effect::Abort`]: send [`Ceremony::poll_request`] to each of [`Ceremony::peers`] now
/// and then, and give what they answer to [`Ceremony::handle_response`]. Answer with [`Ceremony::handle_request`] at all
/// times, after the end too.
pub struct Ceremony {
    setup: Setup,
    phase: Phase,
}

enum Phase {
    Running(Box<Running>),
    Finished(KeptFinished),
    Aborted(MemberId),
}

impl Ceremony {
    /// Enters a ceremony, or goes on with what was kept of it. Randomness is drawn here and nowhere else.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(
        mut setup: Setup,
        kept: Option<&[u8]>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Self, SetupError> {
        setup.specs.sort_by(|a, b| a.key().cmp(b.key()));
        setup.check()?;
        let phase = match kept.map(codec::decode::<Kept>).transpose().map_err(|_| SetupError::Damaged)? {
            None => {
                let nonce = Nonce::from_bytes(*Secret::random(rng).expose());
                Phase::Running(Box::new(Running::enter(&setup, nonce, Secret::random(rng))))
            }
            Some(Kept::Signed(kept)) => Phase::Running(Box::new(Running::resume(&setup, kept)?)),
            Some(Kept::Finished(kept)) => Phase::Finished(setup.check_finished(kept)?),
        };
        Ok(Self { setup, phase })
    }

    /// The other holders.
    pub fn peers(&self) -> impl Iterator<Item = &MemberId> {
        self.setup.holders.keys().filter(|member| **member != self.setup.me)
    }

    /// What to ask each of them.
    #[must_use]
    pub const fn poll_request(&self) -> Request {
        Request::Poll { covenant: self.setup.covenant, epoch: self.setup.epoch }
    }

    /// Answers `from`, whom the transport has authenticated. The answer may hold shares for that member's eyes only.
    #[must_use]
    pub fn handle_request(&self, from: &MemberId, request: &Request) -> Response {
        match request {
            Request::Records { epoch } if *epoch == self.setup.epoch => match &self.phase {
                Phase::Finished(kept) => Response::Records(kept.records.clone()),
                _ => Response::Records(Vec::new()),
            },
            Request::Poll { .. }
                if *request == self.poll_request() && self.peers().any(|peer| peer == from) =>
            {
                match &self.phase {
                    Phase::Running(running) => Response::Working(running.working(&self.setup, from)),
                    Phase::Finished(kept) => Response::Finished(kept.finished.clone()),
                    Phase::Aborted(culprit) => Response::Aborted { culprit: culprit.clone() },
                }
            }
            _ => Response::Elsewhere,
        }
    }

    /// Takes in what `from`, whom the transport has authenticated, answered.
    #[must_use]
    pub fn handle_response(&mut self, from: &MemberId, response: Response) -> Vec<Effect> {
        if !self.peers().any(|peer| peer == from) {
            return Vec::new();
        }
        let Phase::Running(running) = &mut self.phase else { return Vec::new() };
        let result = match response {
            Response::Working(said) => running.hear(&self.setup, from, said),
            Response::Finished(all) => running.catch_up(&self.setup, from, all).map(|()| None),
            Response::Aborted { culprit } => {
                running.note(from, Some(Note::Aborted { culprit }));
                Ok(None)
            }
            Response::Elsewhere | Response::Records(_) => {
                running.note(from, Some(Note::Elsewhere));
                Ok(None)
            }
        };
        match result {
            Ok(effect) => effect.into_iter().chain(self.finish()).collect(),
            Err(abort) => {
                self.phase = Phase::Aborted(abort.culprit.clone());
                vec![Effect::Abort(abort)]
            }
        }
    }

    /// What [`Effect::Persist`] gave for `session` is on disk and survives a power cut.
    #[must_use]
    pub fn persisted(&mut self, session: SessionId) -> Vec<Effect> {
        if let Phase::Running(running) = &mut self.phase {
            running.persisted(&self.setup, session);
        }
        self.finish().into_iter().collect()
    }

    /// How far it is.
    #[must_use]
    pub fn state(&self) -> Progress {
        let stage = match &self.phase {
            Phase::Running(running) => return running.progress(&self.setup),
            Phase::Finished(_) => Stage::Finished,
            Phase::Aborted(culprit) => Stage::Aborted { culprit: culprit.clone() },
        };
        let of = self.setup.holders.len();
        Progress { stage, have: of, of, waiting_for: Vec::new(), notes: BTreeMap::new() }
    }

    fn finish(&mut self) -> Option<Effect> {
        let Phase::Running(running) = &mut self.phase else { return None };
        let outcome = running.outcome(&self.setup)?;
        let (finished, records) = (outcome.finished.clone(), outcome.records.clone());
        // Seed, polynomials and received shares are wiped here.
        self.phase = Phase::Finished(KeptFinished { finished, records });
        Some(Effect::Complete(outcome))
    }
}

impl Setup {
    fn check(&self) -> Result<(), SetupError> {
        let public = self.holders.get(&self.me).ok_or_else(|| SetupError::NotAHolder(self.me.clone()))?;
        if *public != self.signing_key.verifying_key() {
            return Err(SetupError::SigningKey);
        }
        let different = self.specs.windows(2).all(|pair| pair[0].key() != pair[1].key());
        if !(1..=KEYS_MAX).contains(&self.specs.len()) || !different {
            return Err(SetupError::Keys);
        }
        let named: BTreeSet<_> = self.specs.iter().flat_map(KeySpec::holders).collect();
        if named.into_iter().eq(self.holders.keys()) { Ok(()) } else { Err(SetupError::Holders) }
    }

    /// Whether what was kept is the end of this ceremony. What it says was checked before it was kept.
    fn check_finished(&self, kept: KeptFinished) -> Result<KeptFinished, SetupError> {
        let id = session::session_id(self, &kept.finished.nonces);
        let ours = kept.finished.confirms.iter().all(|confirm| confirm.session == id);
        let complete = kept.finished.confirms.len() == self.holders.len();
        if ours && complete { Ok(kept) } else { Err(SetupError::OtherCeremony) }
    }
}

impl fmt::Debug for Ceremony {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ceremony({}, {})", self.setup.me, self.state())
    }
}

#[cfg(test)]
mod tests;
