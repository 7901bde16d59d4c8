//! Tracing: who left a submission, when it is not in order (`docs/protocol.md` section 13).
//!
//! A partner complains about a submission that it met and whose hello is not in order; a matcher reports a crowd. Both
//! holders of trace keys check for themselves, and only then open the ticket, the second the outer seal, the first the
//! inner one. What comes of it stays with the two.
//!
//! All of it is pure. Not here: who asks whom and when, what is kept, and what governance makes of an answer.

use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};

use crate::board::{Met, Post, SignedPost};
use crate::codec::{self, Wire};
use crate::covenant::{Covenant, Disclosure, VerifiedCovenant};
use crate::crypto::sha256;
use crate::evidence::{Evidence, Misposted, Violation};
use crate::field::join;
use crate::id::{Epoch, MemberId, NetworkId, PurposeId, byte_id};
use crate::label;
use crate::sealing::{self, ExchangeKey, ExchangeSecret};
use crate::secret::Secret;
use crate::sign::{Signature, SigningKey};
use crate::subject_key::{Scope, SubjectKey};
use crate::submission::hello::Envelope;
use crate::submission::{Destination, Hello, Leave};
use crate::time::Day;

pub mod crowd;
pub mod message;
pub mod opening;
mod record;

pub use crowd::{Crowd, HolderSignatures, Removal, Ruling, VerifiedRuling};
pub use message::{Request, Response};
pub use opening::{Answer, Finding, Half, How, Trial, Why};
pub use record::{BadRecord, Disclosed};

/// Complaints of one member that are looked into on one day.
pub const COMPLAINTS_A_DAY: u32 = 64;
/// Days for which a matcher keeps what a trace needs of a submission that met somebody and then ended, so that nobody
/// escapes a trace by withdrawing.
pub const LINGER_DAYS: u32 = 3;

byte_id! {
    /// What a complaint is about: one member's complaint about one submission, however often it comes.
    ComplaintId, 16
}
byte_id! {
    /// A subject key, sealed to one holder of a trace key.
    SealedKey, 80
}

/// What a member says of a submission that it met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complaint {
    /// The network.
    pub network: NetworkId,
    /// Where they met.
    pub matcher: MemberId,
    /// The epoch of the subject key.
    pub epoch: Epoch,
    /// Its purpose.
    pub purpose: PurposeId,
    /// Who complains.
    pub member: MemberId,
    /// Its own mailbox, to which the other was introduced.
    pub mailbox: ExchangeKey,
    /// The other submission, as the matcher posted it.
    pub met: Met,
    /// The matcher's signature on that post.
    pub posted: Signature,
    /// When it was read.
    pub day: Day,
    /// The subject key, for the first and the second holder of trace keys.
    pub keys: [SealedKey; 2],
}

impl Wire for Complaint {
    const MAX_LEN: usize = 1_536;
}

/// A complaint as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedComplaint {
    /// What is said.
    pub complaint: Complaint,
    /// By the withdraw key of the complainant's own submission, which so is opened first.
    pub by_mailbox: Signature,
    /// By the member.
    pub by_member: Signature,
}

impl Wire for SignedComplaint {
    const MAX_LEN: usize = 2_048;
}

/// Why something is not done. Who is at fault stands with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Not a request of this version; the asker's fault.
    #[error("not a request this node can read")]
    Malformed,
    /// The asker, or who is asked, has no such role.
    #[error("the covenant gives no such role in this")]
    Role,
    /// Something is not signed by whom it names; the asker's fault.
    #[error("a signature does not fit")]
    Signature,
    /// What is complained about is in order, or no crowd; the asker's fault. Nothing was opened.
    #[error("it is in order, so nothing is opened")]
    Unfounded,
    /// More than a day's complaints; try again another day.
    #[error("more than a day's complaints")]
    TooMany,
    /// The matcher says that it has nothing of it any more.
    #[error("the matcher has nothing of it any more")]
    Gone,
    /// Somebody who is needed could not be reached, or gave no good answer; try again.
    #[error("somebody who is needed cannot be reached now")]
    Unreachable,
}

impl Refusal {
    /// Whether the same again gets the same.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::TooMany | Self::Unreachable)
    }
}

/// What a partner met that is not in order.
#[derive(Clone, Debug)]
pub struct Grounds<'a> {
    /// Where the subject key belongs.
    pub scope: &'a Scope,
    /// The subject key.
    pub key: &'a SubjectKey,
    /// The own mailbox.
    pub mailbox: ExchangeKey,
    /// What the matcher posted to it.
    pub met: Met,
    /// The matcher's signature on that.
    pub posted: Signature,
    /// Today.
    pub day: Day,
}

/// Who complains: the member, its signing key, and the withdraw key of its own submission.
#[derive(Clone, Copy, Debug)]
pub struct Complainant<'a> {
    /// The member.
    pub member: &'a MemberId,
    /// Signs for the member.
    pub signing: &'a SigningKey,
    /// Signs for the mailbox.
    pub withdraw: &'a SigningKey,
}

/// What both submissions show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// The ticket is to be opened.
    Founded,
    /// The matcher did it, and this proves it. No ticket is opened.
    Proven(Violation),
}

impl Complaint {
    /// What the complaint is about.
    #[must_use]
    pub fn id(&self) -> ComplaintId {
        let Self { network, matcher, member, met, .. } = self;
        let fields: [&[u8]; 5] = [
            label::COMPLAINT,
            network.as_bytes(),
            matcher.as_bytes(),
            member.as_bytes(),
            met.mailbox.as_bytes(),
        ];
        ComplaintId::try_from(&sha256(&join(&fields))[..ComplaintId::LEN]).expect("16 of 32 bytes")
    }

    /// The matcher.
    #[must_use]
    pub fn destination(&self) -> Destination {
        Destination { network: self.network, matcher: self.matcher.clone() }
    }

    /// `"kring/complaint/v1" || network || SHA-256(encoding)`
    fn signed_bytes(&self) -> Vec<u8> {
        join(&[label::COMPLAINT, self.network.as_bytes(), &sha256(&codec::encode(self))])
    }

    /// `"kring/complaint/v1" || network || holder || member || own mailbox || other mailbox`
    fn info(&self, holder: &MemberId) -> Vec<u8> {
        join(&[
            label::COMPLAINT,
            self.network.as_bytes(),
            holder.as_bytes(),
            self.member.as_bytes(),
            self.mailbox.as_bytes(),
            self.met.mailbox.as_bytes(),
        ])
    }
}

impl SignedComplaint {
    /// A complaint, with the subject key sealed to both holders.
    pub fn new(
        grounds: Grounds<'_>,
        complainant: Complainant<'_>,
        covenant: &Covenant,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let Grounds { scope, key, mailbox, met, posted, day } = grounds;
        let Scope { network, epoch, purpose, matcher } = scope.clone();
        let member = complainant.member.clone();
        let keys = [SealedKey::from_bytes([0; SealedKey::LEN]); 2];
        let mut complaint =
            Complaint { network, matcher, epoch, purpose, member, mailbox, met, posted, day, keys };
        complaint.keys = covenant.trace_keys.each_ref().map(|holder| {
            let card = covenant.member(holder).expect("a verified covenant names members as trace keys");
            let sealed = sealing::seal(&card.trace_key, &complaint.info(holder), key.secret().expose(), rng);
            SealedKey::try_from(sealed.as_slice()).expect("key and overhead add up to the size")
        });
        let bytes = complaint.signed_bytes();
        let by_mailbox = complainant.withdraw.sign_bytes(&bytes);
        let by_member = complainant.signing.sign_bytes(&bytes);
        Self { complaint, by_mailbox, by_member }
    }

    /// What everyone can check: who says it, and that the matcher introduced the other to it.
    ///
    /// # Errors
    /// [`Refusal::Role`] or [`Refusal::Signature`], the complainant's fault.
    pub fn verify(&self, covenant: &VerifiedCovenant) -> Result<(), Refusal> {
        let it = &self.complaint;
        let takes_part =
            covenant.purpose(&it.purpose).is_some_and(|purpose| purpose.members.contains(&it.member));
        let leaves_there = covenant.matchers_for(&it.member).contains(&it.matcher);
        let card = covenant.member(&it.member).filter(|_| takes_part && leaves_there);
        let (Some(card), Some(matcher)) = (card, covenant.member(&it.matcher)) else {
            return Err(Refusal::Role);
        };
        if it.network != covenant.network() || it.mailbox == it.met.mailbox {
            return Err(Refusal::Role);
        }
        let post = SignedPost { post: Post::Met(Box::new(it.met.clone())), signature: it.posted };
        card.signing_key
            .verify_bytes(&it.signed_bytes(), &self.by_member)
            .and_then(|()| post.verify(&it.mailbox, &it.destination(), &matcher.signing_key))
            .map_err(|_| Refusal::Signature)
    }

    /// The subject key, for the holder whose trace key this is.
    ///
    /// # Errors
    /// [`Refusal::Role`] for who holds no trace key, [`Refusal::Signature`] when it is not sealed to this key.
    pub fn key(
        &self,
        holder: &MemberId,
        secret: &ExchangeSecret,
        covenant: &Covenant,
    ) -> Result<SubjectKey, Refusal> {
        let it = &self.complaint;
        let place = covenant.trace_keys.iter().position(|other| other == holder).ok_or(Refusal::Role)?;
        let sealed = it.keys.get(place).ok_or(Refusal::Role)?;
        let (bytes, _) =
            sealing::open(secret, &it.info(holder), sealed.as_bytes()).map_err(|_| Refusal::Signature)?;
        let key = Secret::try_from(bytes.as_slice()).map_err(|_| Refusal::Signature)?;
        Ok(SubjectKey::from_secret(key))
    }

    /// Checks it against what the matcher kept of both submissions, the complainant's own first.
    ///
    /// # Errors
    /// [`Refusal`]: a hello in order is [`Refusal::Unfounded`]; records that do not belong to the complaint are the
    /// matcher's fault and [`Refusal::Unreachable`].
    pub fn judge(
        &self,
        [own, other]: [&Disclosed; 2],
        key: &SubjectKey,
        covenant: &VerifiedCovenant,
        today: Day,
    ) -> Result<Judged, Refusal> {
        self.verify(covenant)?;
        let it = &self.complaint;
        let mut leaves = Vec::new();
        for record in [own, other] {
            match record.check(&it.destination(), covenant) {
                Ok(leave) => leaves.push(leave),
                Err(BadRecord::Invented(invented)) => {
                    return Ok(Judged::Proven(Violation::Invented(invented)));
                }
                Err(BadRecord::Unfitting) => return Err(Refusal::Unreachable),
            }
        }
        let [own, left] = leaves.try_into().expect("both were checked");
        if own.mailbox != it.mailbox || left.mailbox != it.met.mailbox {
            return Err(Refusal::Unreachable);
        }
        own.withdraw_key
            .verify_bytes(&it.signed_bytes(), &self.by_mailbox)
            .map_err(|_| Refusal::Signature)?;
        if own.tag != key.tag() || left.tag != key.tag() {
            return Err(Refusal::Unfounded);
        }
        if !is_as_left(&it.met, &left) {
            let proof = self.misposted(other);
            let evidence = Evidence { network: it.network, violation: proof.clone() };
            return evidence.check(covenant).map(|_| Judged::Proven(proof)).map_err(|_| Refusal::Unfounded);
        }
        if in_order(&left, key, &it.matcher, covenant, today) {
            Err(Refusal::Unfounded)
        } else {
            Ok(Judged::Founded)
        }
    }

    fn misposted(&self, other: &Disclosed) -> Violation {
        let it = &self.complaint;
        Violation::Misposted(Box::new(Misposted {
            matcher: it.matcher.clone(),
            plaintext: other.plaintext.clone(),
            promise: other.promise.clone(),
            to: it.mailbox,
            met: it.met.clone(),
            signature: it.posted,
        }))
    }
}

fn is_as_left(met: &Met, left: &Leave) -> bool {
    met.withdraw_key == left.withdraw_key && met.expiry == left.expiry && met.hello == left.hello
}

/// Whether an honest member could have left this under the subject key. The key does not show to which epoch and purpose
/// it belongs, and who complains may lie about that, so all that are possible count: nobody is opened who kept the rules.
fn in_order(
    left: &Leave,
    key: &SubjectKey,
    matcher: &MemberId,
    covenant: &VerifiedCovenant,
    today: Day,
) -> bool {
    let mut epochs = covenant.epochs_on(today.plus(2));
    epochs.extend(covenant.epochs_on(today));
    epochs.extend(covenant.epochs_on(Day::from_days(today.days().saturating_sub(LINGER_DAYS + 2))));
    epochs.sort_unstable();
    epochs.dedup();
    let scope = |epoch: Epoch, purpose: &PurposeId| Scope {
        network: covenant.network(),
        epoch,
        purpose: purpose.clone(),
        matcher: matcher.clone(),
    };
    let Some(first) = covenant.purposes.first() else { return true };
    let any = scope(Epoch(1), &first.id);
    // What seals a hello does not depend on epoch and purpose, apart from the key.
    let Ok(hello) = Hello::open(&left.hello, key, envelope(left, &any)) else { return false };
    let Some((member, _)) = &hello.name else {
        return covenant.purposes.iter().any(|purpose| purpose.disclosure == Disclosure::NameWhenBothAgree);
    };
    let Some(card) = covenant.member(member) else { return false };
    let of_member = covenant.purposes.iter().filter(|purpose| purpose.members.contains(member));
    of_member
        .flat_map(|purpose| epochs.iter().map(|epoch| scope(*epoch, &purpose.id)))
        .any(|scope| hello.verify_name(key, envelope(left, &scope), &card.signing_key).is_ok())
}

fn envelope<'a>(left: &'a Leave, scope: &'a Scope) -> Envelope<'a> {
    Envelope { scope, mailbox: &left.mailbox, withdraw_key: &left.withdraw_key, expiry: left.expiry }
}

#[cfg(test)]
mod tests;
