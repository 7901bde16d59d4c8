//! A submission through its three hands: sender, relay, matcher. On one core, without network and disk.

use kring_node::clock::Clock;
use kring_protocol::id::{Epoch, MemberId, NetworkId, Reference};
use kring_protocol::meeting::Meeting;
use kring_protocol::own_submission::{Leaver, OwnSubmission, WithdrawNumber, WithdrawRoot};
use kring_protocol::relay::ticket::{TicketMaker, TraceKeys};
use kring_protocol::relay::{self, Forward, Relay, Relayed};
use kring_protocol::sealing::{ExchangeSecret, Receiver, Sender};
use kring_protocol::secret::Secret;
use kring_protocol::sign::SigningKey;
use kring_protocol::subject_key::{Scope, SubjectKey};
use kring_protocol::submission::{self, Content, Destination, SealedSubmission, Submission};
use kring_protocol::time::Day;
use rand::rngs::OsRng;

use super::{Measure, Target, seconds};

/// Everyone's keys.
struct Parties {
    destination: Destination,
    scope: Scope,
    sender: (MemberId, SigningKey),
    relay: (MemberId, SigningKey),
    matcher: SigningKey,
    weekly: ExchangeSecret,
    tickets: TicketMaker,
    root: WithdrawRoot,
    today: Day,
}

pub(super) fn measure() -> Vec<Measure> {
    let parties = Parties::new();
    let sender = seconds(|| {
        std::hint::black_box(parties.send());
    });
    let (_, item) = parties.send();
    let relay = seconds(|| {
        std::hint::black_box(parties.pass_on(item.clone()));
    });
    let relayed = parties.pass_on(item);
    let matcher = seconds(|| parties.take_in(&relayed));
    let micros = |seconds: f64| seconds * 1e6;
    vec![
        Measure::new("sender: one submission", micros(sender), "us"),
        Measure::new("relay: one submission", micros(relay), "us"),
        Measure::new("matcher: one submission", micros(matcher), "us"),
        Measure::new("matcher: submissions per core", 1.0 / matcher, "/s"),
        Measure::new("sender, relay and matcher: one submission", micros(sender + relay + matcher), "us")
            .target(Target::AtMost(300.0)),
        Measure::new("of which keys, HPKE contexts and signatures", micros(parties.libraries()), "us"),
    ]
}

impl Parties {
    fn new() -> Self {
        let member = |id: &str| id.parse::<MemberId>().expect("a slug");
        let key = || SigningKey::from_seed(&Secret::random(&mut OsRng));
        let exchange = || ExchangeSecret::from_bytes(Secret::random(&mut OsRng));
        let network = NetworkId::from_bytes([1; 32]);
        let holders = [(member("t1"), exchange().public()), (member("t2"), exchange().public())];
        Self {
            destination: Destination { network, matcher: member("m") },
            scope: Scope {
                network,
                epoch: Epoch(1),
                purpose: "jeugd".parse().expect("a slug"),
                matcher: member("m"),
            },
            sender: (member("s"), key()),
            relay: (member("r"), key()),
            matcher: key(),
            weekly: exchange(),
            tickets: TicketMaker::new(&network, &TraceKeys { holders }, &mut OsRng),
            root: WithdrawRoot(Secret::random(&mut OsRng)),
            today: Clock.now().day(),
        }
    }

    /// Seconds of what one submission asks of the libraries, whatever we do around it: two fresh keys, a context at either
    /// end, four signatures made (name, forward, relay, receipt) and two checked.
    fn libraries(&self) -> f64 {
        let info = b"the same length as a label, a network's hash and a matcher's name";
        let signature = self.sender.1.sign_bytes(info);
        let key = self.sender.1.verifying_key();
        let encapped = *Sender::new(&self.weekly.public(), info, &mut OsRng).encapped();
        seconds(|| {
            std::hint::black_box(ExchangeSecret::from_bytes(Secret::random(&mut OsRng)));
            std::hint::black_box(SigningKey::from_seed(&Secret::random(&mut OsRng)));
            std::hint::black_box(Sender::new(&self.weekly.public(), info, &mut OsRng));
            std::hint::black_box(Receiver::new(&self.weekly, &encapped, info).expect("a sender made it"));
            for _ in 0..4 {
                std::hint::black_box(self.sender.1.sign_bytes(info));
            }
            for _ in 0..2 {
                key.verify_bytes(info, &signature).expect("the signature is right");
            }
        })
    }

    /// The sender's part: a fresh mailbox, a signed hello, sealed and signed for the relay.
    fn send(&self) -> (SealedSubmission, Forward) {
        let key = SubjectKey::from_secret(Secret::random(&mut OsRng));
        let number = WithdrawNumber { generation: 1, counter: 1 };
        let expiry = self.today.plus(60).last_of_month();
        let own = OwnSubmission::draw(vec![Reference::from_bytes([3; 16])], 2, expiry, number, &mut OsRng);
        let leaver = Leaver { name: Some((&self.sender.0, &self.sender.1)), root: &self.root };
        let content = Content::Leave(Box::new(own.leave(&key, &self.scope, leaver, None)));
        let plain = Submission { day: self.today, content };
        let sealed = submission::seal(&plain, &self.destination, &self.weekly.public(), &mut OsRng);
        let item = relay::forward(&sealed, &self.destination, &self.relay.0, self.today, &self.sender.1);
        (sealed, item)
    }

    /// The relay's part: checks the signature, makes the ticket, signs.
    fn pass_on(&self, item: Forward) -> Relayed {
        let relay =
            Relay { destination: &self.destination, me: &self.relay.0, key: &self.relay.1, day: self.today };
        let sender_key = self.sender.1.verifying_key();
        relay
            .pass_on(item, &self.sender.0, &sender_key, &self.tickets, &mut OsRng)
            .expect("the sender signed it")
    }

    /// The matcher's part: opens, checks, compares, gives the receipt.
    fn take_in(&self, item: &Relayed) {
        let opened =
            submission::open(&item.sealed.0, &self.destination, &self.weekly).expect("it was sealed to us");
        let relay_key = self.relay.1.verifying_key();
        relay::verify_relayed(item, &opened.sealed_hash, &self.destination, self.today, &relay_key)
            .expect("the relay signed it");
        let mut meeting = Meeting::new(self.destination.clone());
        if let Content::Leave(leave) = &opened.submission.content {
            std::hint::black_box(meeting.leave(leave, self.today).expect("the mailbox is fresh"));
        }
        std::hint::black_box(opened.receipt(self.today, true, &self.destination, &self.matcher));
    }
}
