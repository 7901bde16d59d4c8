//! When all is delivered: every living node reports no waiting work and has read every board to its head, twice in a
//! row with nothing changed in between.
//!
//! Twice, because nodes are asked one after the other: work can leave a node after it was asked and arrive at one before
//! it is asked. Such work shows at the second time, as waiting or as a longer board: a node counts what follows from a
//! message before it acknowledges that message.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// What `GET /api/v1/network` says of waiting work.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Waiting {
    /// Match keys not yet evaluated.
    pub(super) evaluations: u64,
    /// Submissions without a receipt.
    pub(super) submissions: Vec<Submissions>,
    /// Meetings not yet on the node's own board.
    pub(super) appends: u64,
    /// How far boards are read.
    pub(super) boards: Vec<Board>,
}

/// Submissions without a receipt, at one matcher.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Submissions {
    pub(super) matcher: String,
    pub(super) count: u64,
}

/// How far one board is read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Board {
    pub(super) matcher: String,
    /// Messages in the newest checkpoint that the node knows.
    pub(super) size: u64,
    /// Messages read.
    pub(super) read: u64,
}

/// All living nodes at one moment, by member id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// What each says.
    pub(super) nodes: BTreeMap<String, Waiting>,
    /// Members kept down: what waits for one of them does not count.
    pub(super) down: BTreeSet<String>,
    /// Members neither living nor kept down, such as one that is starting again.
    pub(super) absent: BTreeSet<String>,
}

/// What still waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) absent: usize,
    pub(super) evaluations: u64,
    pub(super) submissions: u64,
    pub(super) appends: u64,
    pub(super) messages: u64,
}

impl std::fmt::Display for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { absent, evaluations, submissions, appends, messages } = self;
        write!(
            f,
            "{evaluations} match keys to evaluate, {submissions} submissions without receipt, {appends} meetings to \
             post, {messages} messages to read, {absent} nodes away"
        )
    }
}

impl Snapshot {
    /// What still waits, apart from what waits for members kept down only.
    pub(super) fn left(&self) -> Left {
        let mut left = Left { absent: self.absent.len(), ..Left::default() };
        for waiting in self.nodes.values() {
            left.evaluations += waiting.evaluations;
            left.appends += waiting.appends;
            left.submissions += waiting
                .submissions
                .iter()
                .filter(|one| !self.down.contains(&one.matcher))
                .map(|one| one.count)
                .sum::<u64>();
            left.messages += self.unread(waiting);
        }
        left
    }

    /// Messages, up to each board's head as any living node knows it, that this node has not read. A board it says
    /// nothing of it has not read at all.
    fn unread(&self, waiting: &Waiting) -> u64 {
        let read = |matcher: &str| {
            waiting.boards.iter().find(|board| board.matcher == matcher).map_or(0, |board| board.read)
        };
        self.heads().into_iter().map(|(matcher, head)| head.saturating_sub(read(matcher))).sum()
    }

    fn heads(&self) -> BTreeMap<&str, u64> {
        let mut heads = BTreeMap::new();
        for board in self.nodes.values().flat_map(|waiting| &waiting.boards) {
            let head = heads.entry(board.matcher.as_str()).or_insert(0);
            *head = board.size.max(board.read).max(*head);
        }
        heads
    }
}

/// Whether all is delivered, from two snapshots one after the other.
pub(super) fn delivered(before: &Snapshot, now: &Snapshot) -> bool {
    before == now && now.left() == Left::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(submissions: &[(&str, u64)], boards: &[(&str, u64, u64)]) -> Waiting {
        let submissions = submissions
            .iter()
            .map(|&(matcher, count)| Submissions { matcher: matcher.into(), count })
            .collect();
        let boards = boards
            .iter()
            .map(|&(matcher, size, read)| Board { matcher: matcher.into(), size, read })
            .collect();
        Waiting { evaluations: 0, submissions, appends: 0, boards }
    }

    fn snapshot(nodes: &[(&str, Waiting)], down: &[&str]) -> Snapshot {
        Snapshot {
            nodes: nodes.iter().map(|(id, waiting)| ((*id).into(), waiting.clone())).collect(),
            down: down.iter().map(|id| (*id).to_owned()).collect(),
            absent: BTreeSet::new(),
        }
    }

    #[test]
    fn all_is_delivered_when_nothing_waits_twice() {
        let quiet = snapshot(
            &[("a", waiting(&[("b", 0)], &[("b", 3, 3)])), ("b", waiting(&[], &[("b", 3, 3)]))],
            &[],
        );
        assert!(delivered(&quiet, &quiet));
        let grown =
            snapshot(&[("a", waiting(&[], &[("b", 4, 4)])), ("b", waiting(&[], &[("b", 4, 4)]))], &[]);
        assert!(!delivered(&quiet, &grown), "something moved in between");
    }

    #[test]
    fn anything_that_waits_holds_it_up() {
        type Disturb = fn(&mut Snapshot);
        let cases: [(Disturb, &str); 5] = [
            (|all| all.nodes.get_mut("a").unwrap().evaluations = 1, "1 match keys"),
            (|all| all.nodes.get_mut("b").unwrap().appends = 2, "2 meetings"),
            (|all| all.nodes.get_mut("a").unwrap().submissions[0].count = 3, "3 submissions"),
            (|all| all.nodes.get_mut("a").unwrap().boards[0].size = 7, "8 messages"),
            (|all| all.absent.extend(["c".to_owned()]), "1 nodes away"),
        ];
        let quiet = snapshot(
            &[("a", waiting(&[("b", 0)], &[("b", 3, 3)])), ("b", waiting(&[], &[("b", 3, 3)]))],
            &[],
        );
        for (disturb, expected) in cases {
            let mut disturbed = quiet.clone();
            disturb(&mut disturbed);
            assert!(!delivered(&disturbed, &disturbed));
            assert!(disturbed.left().to_string().contains(expected), "{}", disturbed.left());
        }
    }

    #[test]
    fn a_board_not_mentioned_is_a_board_not_read() {
        let all = snapshot(&[("a", waiting(&[], &[])), ("b", waiting(&[], &[("b", 3, 3)]))], &[]);
        assert_eq!(all.left().messages, 3);
    }

    #[test]
    fn what_waits_for_one_kept_down_does_not_count() {
        // b is down; its board's newest head is only known as far as living nodes have seen it.
        let a = waiting(&[("b", 9), ("c", 0)], &[("b", 3, 3), ("c", 1, 1)]);
        let c = waiting(&[("b", 2)], &[("b", 3, 3), ("c", 1, 1)]);
        let all = snapshot(&[("a", a.clone()), ("c", c.clone())], &["b"]);
        assert!(delivered(&all, &all));
        let not_yet = snapshot(&[("a", a), ("c", waiting(&[], &[("b", 2, 2), ("c", 1, 1)]))], &["b"]);
        assert!(!delivered(&not_yet, &not_yet), "c can still read one message of b from a");
    }
}
