//! A network of fifteen in memory: p0 and p1 hold trace keys, p14 is the matcher, p3 the relay of everyone but itself.

use crate::board::{Met, Post, SignedPost, open_signed_post, seal_post};
use crate::codec::Bytes;
use crate::covenant::tests::{Founder, covenant, founders, signed};
use crate::evidence::Kept;
use crate::id::Reference;
use crate::relay::{PassedOn, Relay, TicketMaker, TraceKeys, forward};
use crate::submission::{self, Content, Inbox, SealedHello, Submission};
use crate::trace::*;

pub(super) use crate::submission::tests::rng;

pub(super) const TODAY: Day = Day::from_days(20_010);
pub(super) const EXPIRY: Day = Day::from_days(20_088);

pub(super) fn id(text: &str) -> MemberId {
    text.parse().unwrap()
}

pub(super) fn subject_key(seed: u8) -> SubjectKey {
    SubjectKey::from_secret(Secret::new([seed; 32]))
}

/// What somebody leaves in the place of a good hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Good,
    Closed,
    Nameless,
    NameOfAnother,
}

/// What its relay makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    Well,
    /// With another signature of the sender in the ticket.
    False,
    /// With bytes that are no ticket.
    NoTicket,
    /// With an outer seal that holds nothing to open.
    NoInner,
    /// By nobody: the matcher made it up.
    Never,
}

pub(super) struct World {
    founders: Vec<Founder>,
    pub covenant: VerifiedCovenant,
    weekly: ExchangeSecret,
}

impl World {
    pub(super) fn new() -> Self {
        let founders = founders(15);
        let mut terms = covenant(&founders);
        let other = crate::covenant::Purpose { id: "other".parse().unwrap(), ..terms.purposes[0].clone() };
        terms.purposes.push(other);
        let covenant = signed(&founders, &terms).verify().unwrap();
        Self { founders, covenant, weekly: ExchangeSecret::from_bytes(Secret::new([8; 32])) }
    }

    /// As [`Self::new`], with names hidden at first in the second purpose.
    pub(super) fn with_hidden_names() -> Self {
        let mut world = Self::new();
        let mut terms = Covenant::clone(&world.covenant);
        terms.purposes[1].disclosure = Disclosure::NameWhenBothAgree;
        world.covenant = signed(&world.founders, &terms).verify().unwrap();
        world
    }

    pub(super) fn key(&self, member: &str) -> &SigningKey {
        &self.founders.iter().find(|founder| founder.card.card.id.as_str() == member).unwrap().key
    }

    pub(super) fn trace_secret(holder: u8) -> ExchangeSecret {
        ExchangeSecret::from_bytes(Secret::new([48 + holder; 32]))
    }

    pub(super) fn destination(&self) -> Destination {
        Destination { network: self.covenant.network(), matcher: id("p14") }
    }

    pub(super) fn scope(&self, epoch: u32, purpose: &str) -> Scope {
        let Destination { network, matcher } = self.destination();
        Scope { network, epoch: Epoch(epoch), purpose: purpose.parse().unwrap(), matcher }
    }

    pub(super) fn withdraw(seed: u8) -> SigningKey {
        SigningKey::from_seed(&Secret::new([seed; 32]))
    }

    pub(super) fn mailbox(seed: u8) -> ExchangeSecret {
        ExchangeSecret::from_bytes(Secret::new([seed; 32]))
    }

    /// What `member` leaves for the purpose `jeugd`.
    pub(super) fn leave(&self, member: &str, seed: u8, key: &SubjectKey, form: Form) -> Leave {
        let (scope, expiry) = (self.scope(1, "jeugd"), EXPIRY);
        let (mailbox, withdraw_key) = (Self::mailbox(seed).public(), Self::withdraw(seed).verifying_key());
        let envelope = Envelope { scope: &scope, mailbox: &mailbox, withdraw_key: &withdraw_key, expiry };
        let (member, signing) = (id(member), self.key(member));
        let other = id("p9");
        let name = match form {
            Form::Nameless => None,
            Form::NameOfAnother => Some((&other, signing)),
            Form::Good | Form::Closed => Some((&member, signing)),
        };
        let hello = Hello::new(vec![Reference::from_bytes([seed; 16])], key, envelope, name);
        let hello = match form {
            Form::Closed => SealedHello::from_bytes([seed; SealedHello::LEN]),
            _ => hello.seal(key, envelope),
        };
        let (tag, inbox) = (key.tag(), Inbox::from_bytes([seed; 16]));
        Leave { tag, mailbox, withdraw_key, min: 2, expiry, hello, inbox, replaces: None }
    }

    fn tickets(&self) -> TicketMaker {
        let holders = [0, 1].map(|n| (id(&format!("p{n}")), Self::trace_secret(n).public()));
        TicketMaker::new(&self.covenant.network(), &TraceKeys { holders }, &mut rng(1))
    }

    /// What the matcher shows of a submission.
    pub(super) fn disclosed(&self, sender: &str, leave: &Leave, passed: Passed) -> Disclosed {
        let (destination, relay) = (self.destination(), id(if sender == "p3" { "p4" } else { "p3" }));
        let submission = Submission { day: TODAY, content: Content::Leave(Box::new(leave.clone())) };
        let sealed = submission::seal(&submission, &destination, &self.weekly.public(), &mut rng(5));
        let item = forward(&sealed, &destination, &relay, TODAY, self.key(sender));
        let (key, sender_key) = (self.key(relay.as_str()), self.key(sender).verifying_key());
        let hashes = (sealed.sealed_hash, sealed.plaintext_hash);
        let made = |ticket| PassedOn::sign(hashes, ticket, TODAY, &destination, key);
        let bytes = |ticket: &[u8]| {
            codec::decode(&[&[1, 0x58, u8::try_from(ticket.len()).unwrap()], ticket].concat())
                .map(|Ticketed(ticket)| ticket)
                .unwrap()
        };
        let passed = match passed {
            Passed::Well | Passed::Never => {
                let rules = Relay { destination: &destination, me: &relay, key, day: TODAY };
                let relayed =
                    rules.pass_on(item, &id(sender), &sender_key, &self.tickets(), &mut rng(2)).unwrap();
                let mut all = relayed.passed_on(TODAY);
                if passed == Passed::Never {
                    all.day = TODAY.plus(1);
                }
                all
            }
            Passed::False => {
                let other = forward(&sealed, &destination, &relay, TODAY.plus(1), self.key(sender));
                made(self.tickets().make(&id(sender), &other.signature, &mut rng(2)))
            }
            Passed::NoTicket => made(bytes(&[7; 209])),
            Passed::NoInner => {
                let [_, outer] = [0, 1].map(|n| (id(&format!("p{n}")), Self::trace_secret(n).public()));
                let holders = [(id("p0"), Self::trace_secret(9).public()), outer];
                let maker = TicketMaker::new(&self.covenant.network(), &TraceKeys { holders }, &mut rng(1));
                made(maker.make(&id(sender), &item.signature, &mut rng(2)))
            }
        };
        let plaintext = Bytes(submission.to_plaintext());
        Disclosed::sign(plaintext, Kept { relay, passed }, &destination, self.key("p14"))
    }

    /// What the matcher posts to the mailbox `to`.
    pub(super) fn met(&self, to: &ExchangeSecret, leave: &Leave) -> (Met, Signature) {
        let Leave { mailbox, withdraw_key, expiry, hello, .. } = leave.clone();
        let post = Post::Met(Box::new(Met { mailbox, withdraw_key, expiry, hello }));
        let (destination, matcher) = (self.destination(), self.key("p14"));
        let body = seal_post(post, &to.public(), &destination, matcher, &mut rng(9));
        let signed = open_signed_post(&body, to, &destination, &matcher.verifying_key()).unwrap();
        let SignedPost { post: Post::Met(met), signature } = signed else { panic!() };
        (*met, signature)
    }

    /// What `member`, whose submission has this seed, says of what was posted to it, under this scope and key.
    pub(super) fn complaint(
        &self,
        (member, seed): (&str, u8),
        posted: &Leave,
        scope: &Scope,
        key: &SubjectKey,
    ) -> SignedComplaint {
        let mailbox = Self::mailbox(seed);
        let (met, signature) = self.met(&mailbox, posted);
        let grounds = Grounds { scope, key, mailbox: mailbox.public(), met, posted: signature, day: TODAY };
        let (signing, withdraw) = (self.key(member), &Self::withdraw(seed));
        let complainant = Complainant { member: &id(member), signing, withdraw };
        SignedComplaint::new(grounds, complainant, &self.covenant, &mut rng(3))
    }

    /// What both holders make of a complaint: they never differ.
    pub(super) fn judge(
        &self,
        complaint: &SignedComplaint,
        records: &[Disclosed; 2],
    ) -> Result<Judged, Refusal> {
        let [first, second] = [0, 1].map(|n| {
            let key = complaint.key(&id(&format!("p{n}")), &Self::trace_secret(n), &self.covenant)?;
            complaint.judge(records.each_ref(), &key, &self.covenant, TODAY)
        });
        assert_eq!(first, second);
        first
    }

    /// What both holders find in a ticket.
    pub(super) fn opened(&self, record: &Disclosed) -> (Half, Answer) {
        let why = Self::why();
        let trial = Trial { covenant: &self.covenant, matcher: &id("p14"), kept: &record.kept, why: &why };
        let half = trial.half_open(&Self::trace_secret(1), self.key("p1"), TODAY);
        let answer = trial.open(&half, &Self::trace_secret(0), self.key("p0")).unwrap();
        trial.accept(&half, &answer).unwrap();
        (half, answer)
    }

    pub(super) fn why() -> Why {
        Why::Complaint { member: id("p2"), id: ComplaintId::from_bytes([4; 16]) }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Ticketed(crate::relay::Ticket);

impl Wire for Ticketed {
    const MAX_LEN: usize = 256;
}
