//! A matcher's rules, driven by a list of operations: introductions are mutual, made once, and to live submissions of one
//! tag that want them; posts are numbered without gaps; what has ended does not come back; every record can be stored.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use kring_fuzz::{TODAY, mailbox, operations, seeds, signing};
use kring_protocol::board::Post;
use kring_protocol::codec::{Wire, decode, encode};
use kring_protocol::id::{NetworkId, Tag};
use kring_protocol::meeting::{CROWD, Change, Live, Meeting, TakenIn};
use kring_protocol::relay::Refusal;
use kring_protocol::sealing::ExchangeKey;
use kring_protocol::sign::SigningKey;
use kring_protocol::submission::{Destination, Inbox, Leave, MIN_MAX, SealedHello};
use kring_protocol::time::Day;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

static DESTINATION: LazyLock<Destination> =
    LazyLock::new(|| Destination { network: NetworkId::from_bytes([1; 32]), matcher: "m".parse().unwrap() });
/// Withdraw keys of the owners of mailboxes.
static OWNERS: LazyLock<[SigningKey; 3]> = LazyLock::new(|| [1, 2, 3].map(signing));

/// Most submissions in one run.
const LEFT_MAX: usize = 250;

#[derive(Debug, Arbitrary)]
enum Op {
    /// A new submission is left.
    Leave { tag: bool, owner: u8, min: u8, days: u8 },
    /// As many as this are, one after another.
    LeaveMany { tag: bool, count: u8, days: u8 },
    /// So many times a few are left that soon expire.
    Turnover { tag: bool, times: u8 },
    /// A known one is left again, with another content or not.
    Again { which: u8, change: bool },
    /// A new submission takes the place of one, with its owner's signature or another's.
    Replace { which: u8, signer: u8, tag: bool, min: u8, days: u8 },
    /// One is withdrawn, with its owner's signature or another's.
    Withdraw { which: u8, signer: u8 },
    /// Days pass; what has expired is forgotten now or later.
    Days { count: u8, expire: bool },
    /// The matcher stops and starts with what it has stored.
    Restart,
}

/// What was left, as its owner knows it.
struct Left {
    leave: Leave,
    owner: usize,
}

struct World {
    meeting: Meeting,
    today: Day,
    left: Vec<Left>,
    /// What is stored: live records, ended mailboxes.
    live: BTreeMap<ExchangeKey, Vec<u8>>,
    ended: BTreeMap<ExchangeKey, Day>,
    /// Posts made to each mailbox.
    posts: BTreeMap<ExchangeKey, u32>,
    /// Who was told of whom.
    told: BTreeSet<(ExchangeKey, ExchangeKey)>,
}

impl World {
    fn new() -> Self {
        Self {
            meeting: Meeting::new(DESTINATION.clone()),
            today: TODAY,
            left: Vec::new(),
            live: BTreeMap::new(),
            ended: BTreeMap::new(),
            posts: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    fn fresh(&self, tag: bool, owner: u8, min: u8, days: u8) -> Left {
        let number = u16::try_from(self.left.len()).unwrap();
        let owner = usize::from(owner) % OWNERS.len();
        let leave = Leave {
            tag: Tag::from_bytes([tag.into(); 16]),
            mailbox: mailbox(number),
            withdraw_key: OWNERS[owner].verifying_key(),
            min: 2 + min % (MIN_MAX - 1),
            expiry: self.today.plus(days.into()),
            hello: SealedHello::from_bytes([number.to_be_bytes()[1]; 242]),
            inbox: Inbox::from_bytes([number.to_be_bytes()[1]; 16]),
            replaces: None,
        };
        Left { leave, owner }
    }

    fn leave(&mut self, left: Left) {
        if self.left.len() >= LEFT_MAX {
            return;
        }
        let taken = self.meeting.leave(&left.leave, self.today);
        let replaced = left.leave.replaces.as_ref().map(|replaces| replaces.mailbox);
        match taken {
            Ok(TakenIn::New { change, held }) => {
                assert!(!self.live.contains_key(&left.leave.mailbox), "new only once");
                assert_eq!(held, replaced.is_none_or(|old| self.live.contains_key(&old)));
                self.apply(change);
                assert!(replaced.is_none_or(|old| self.meeting.live(&old).is_none()));
            }
            other => panic!("{other:?}"),
        }
        self.left.push(left);
    }

    fn leave_many(&mut self, tag: bool, count: u8, days: u8) {
        for _ in 0..count {
            self.leave(self.fresh(tag, 0, 0, days));
        }
    }

    /// Stores what changed and checks what is posted, as the matcher does.
    fn apply(&mut self, change: Change) {
        for announcement in &change.announcements {
            let live = self.meeting.live(&announcement.to).expect("posts go to who is live");
            assert_eq!(live.inbox, announcement.inbox);
            let posts = self.posts.entry(announcement.to).or_default();
            assert_eq!(announcement.n, *posts, "numbered without gaps");
            *posts += 1;
            assert!(change.live.contains(&announcement.to), "its number is stored with it");
            match &announcement.post {
                Post::Met(met) => self.met(announcement.to, met.mailbox, &change),
                Post::Replaced(replaced) => self.parted(announcement.to, replaced.replaces.mailbox),
                Post::Withdrawn(withdraw) => self.parted(announcement.to, withdraw.mailbox),
                Post::Removed(_) => unreachable!("nobody rules here"),
            }
        }
        for (mailbox, until) in change.ended {
            self.live.remove(&mailbox);
            self.ended.insert(mailbox, until);
        }
        for mailbox in change.live {
            if let Some(live) = self.meeting.live(&mailbox) {
                let bytes = encode(live);
                assert!(bytes.len() <= Live::MAX_LEN);
                self.live.insert(mailbox, bytes);
            }
        }
    }

    fn met(&mut self, to: ExchangeKey, other: ExchangeKey, change: &Change) {
        assert!(self.told.insert((to, other)), "told once");
        let mutual = |post: &Post| matches!(post, Post::Met(met) if met.mailbox == to);
        assert!(
            change.announcements.iter().any(|back| back.to == other && mutual(&back.post)),
            "both are told"
        );
        // Whoever is replaced in this change is gone from the rules already.
        let tag = |mailbox| self.meeting.live(mailbox).map(|live| live.tag);
        if let (Some(one), Some(two)) = (tag(&to), tag(&other)) {
            assert_eq!(one, two, "of one tag");
        }
        for mailbox in [&to, &other] {
            assert!(self.meeting.live(mailbox).is_none_or(|live| live.expiry >= self.today), "not expired");
        }
    }

    fn parted(&self, to: ExchangeKey, ended: ExchangeKey) {
        assert!(self.told.contains(&(to, ended)), "only who met hears of the end");
        assert!(self.meeting.live(&ended).is_none());
    }

    /// One of what was left.
    fn pick(&self, which: u8) -> Option<&Left> {
        self.left.get(usize::from(which) % self.left.len().max(1))
    }

    fn again(&mut self, which: u8, change: bool) {
        let Some(left) = self.pick(which) else { return };
        let mut leave = left.leave.clone();
        let known = self.live.contains_key(&leave.mailbox);
        let forgotten = !known && !self.ended.contains_key(&leave.mailbox);
        if forgotten {
            return; // Its day is over, so it is refused or, with a later one, new.
        }
        if change {
            leave.expiry = leave.expiry.plus(1);
        }
        let expected = if known && !change { Ok(TakenIn::Known) } else { Err(Refusal::Mailbox) };
        assert_eq!(self.meeting.leave(&leave, self.today), expected);
    }

    fn replace(&mut self, which: u8, signer: u8, mut new: Left) {
        let Some(old) = self.pick(which) else { return };
        let (old, owner, signer) = (old.leave.mailbox, old.owner, usize::from(signer) % OWNERS.len());
        new.leave.replaces = Some(DESTINATION.replaces(&OWNERS[signer], old, &new.leave.mailbox));
        if self.live.contains_key(&old) && signer != owner {
            assert_eq!(self.meeting.leave(&new.leave, self.today), Err(Refusal::Signature));
        } else {
            self.leave(new);
        }
    }

    fn withdraw(&mut self, which: u8, signer: u8) {
        let Some(left) = self.pick(which) else { return };
        let (mailbox, owner, signer) = (left.leave.mailbox, left.owner, usize::from(signer) % OWNERS.len());
        let withdraw = DESTINATION.withdraw(&OWNERS[signer], mailbox);
        let live = self.live.contains_key(&mailbox);
        match self.meeting.withdraw(&withdraw) {
            Err(refusal) => assert!(live && signer != owner && refusal == Refusal::Signature),
            Ok(TakenIn::New { change, held }) => {
                assert_eq!(held, live || self.ended.contains_key(&mailbox));
                assert!(signer == owner || change == Change::default());
                assert_eq!(change.ended.len(), usize::from(live));
                self.apply(change);
            }
            Ok(TakenIn::Known) => panic!("a withdrawal is never known"),
        }
    }

    fn expire(&mut self) {
        for mailbox in self.meeting.expire(self.today) {
            let until = self.ended.remove(&mailbox).or_else(|| {
                let live = self.live.remove(&mailbox)?;
                Some(decode::<Live>(&live).unwrap().expiry)
            });
            assert!(until.unwrap() < self.today);
        }
    }

    fn restart(&mut self) {
        self.meeting = Meeting::new(DESTINATION.clone());
        for (mailbox, bytes) in &self.live {
            self.meeting.restore_live(*mailbox, decode(bytes).expect("what was stored reads"));
        }
        for (mailbox, until) in &self.ended {
            self.meeting.restore_ended(*mailbox, *until);
        }
    }

    /// What holds after every operation; asked before a record can go and at the end, for it takes long.
    fn check(&self) {
        assert_eq!(self.meeting.len(), self.live.len());
        for (mailbox, bytes) in &self.live {
            let live = self.meeting.live(mailbox).expect("what is stored is live");
            assert_eq!(encode(live), *bytes, "what is live is stored");
            assert_eq!(self.posts.get(mailbox).copied().unwrap_or(0), live.posts);
            let met = live.introduced.iter().filter_map(|other| Some((other, self.meeting.live(other)?)));
            let met: Vec<_> = met.filter(|(_, theirs)| theirs.expiry >= self.today).collect();
            assert!(met.len() < CROWD, "a crowd is not introduced further");
            for (other, theirs) in met {
                let mutual = theirs.introduced.contains(mailbox) || live.expiry < self.today;
                assert!(mutual && theirs.tag == live.tag && other != mailbox);
            }
            assert!(live.introduced.is_empty() || live.min == 2, "not quiet any more");
        }
    }
}

fn run(ops: &[Op]) {
    let mut world = World::new();
    for op in ops.iter().take(100) {
        match *op {
            Op::Leave { tag, owner, min, days } => world.leave(world.fresh(tag, owner, min, days)),
            Op::LeaveMany { tag, count, days } => world.leave_many(tag, count % 20, days),
            Op::Turnover { tag, times } => {
                for _ in 0..times % 16 {
                    world.leave_many(tag, 14, 0);
                    world.today = world.today.plus(1);
                    world.expire();
                }
            }
            Op::Again { which, change } => world.again(which, change),
            Op::Replace { which, signer, tag, min, days } => {
                world.replace(which, signer, world.fresh(tag, which, min, days));
            }
            Op::Withdraw { which, signer } => world.withdraw(which, signer),
            Op::Days { count, expire } => {
                world.check();
                world.today = world.today.plus(count.into());
                if expire {
                    world.expire();
                }
            }
            Op::Restart => {
                world.check();
                world.restart();
            }
        }
    }
    world.check();
}

fuzz_target!(init: seeds(operations), |ops: Vec<Op>| run(&ops));
