//! "This is not right": a match that one side marks is out for both, for that pair of cases (`docs/protocol.md`
//! section 10.5).
//!
//! The mark belongs to the match, not to the ground it lives on. So it holds when the pair is found again by another key,
//! person, matcher or epoch, after renewal, and by a later signal on the same case.

use super::outbox::{Pair, Said};
use super::{Match, MatchKey, Matches};
use crate::conversation::{Message, MessageId, MistakenReason, Says};
use crate::id::MatchId;
use crate::time::Day;

/// A message that is not believed: it speaks of cases that did not meet over the mailboxes it came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message about cases that did not meet over its mailboxes")]
pub struct NotTheirs;

impl Match {
    /// Whether either side has said that it is not right.
    #[must_use]
    pub fn is_mistaken(&self) -> bool {
        self.is_mistaken_here() || self.heard.iter().any(says_mistaken)
    }

    /// Whether this side has said so.
    #[must_use]
    pub fn is_mistaken_here(&self) -> bool {
        self.said.iter().any(|said| says_mistaken(&said.message))
    }

    /// Whether people see it: it lives and nobody has said that it is not right.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.is_live() && !self.is_mistaken()
    }
}

const fn says_mistaken(message: &Message) -> bool {
    matches!(message.says, Says::Mistaken(_))
}

impl Matches {
    /// The matches with this id: one, or one per name where a reference came with several.
    pub fn with_id(&self, id: MatchId) -> impl Iterator<Item = (&MatchKey, &Match)> {
        let from = MatchKey { id, partner: None };
        self.matches.range(from..).take_while(move |(key, _)| key.id == id)
    }

    /// The own side says that this pair of cases is no match. Returns the matches that changed: none when it is unknown,
    /// or marked by this side before.
    pub fn mark_mistaken(
        &mut self,
        id: MatchId,
        message: MessageId,
        reason: MistakenReason,
        today: Day,
    ) -> Vec<MatchKey> {
        let unmarked = self.with_id(id).filter(|(_, entry)| !entry.is_mistaken_here());
        let keys: Vec<_> = unmarked.map(|(key, _)| key.clone()).collect();
        for key in &keys {
            if let Some(entry) = self.matches.get_mut(key) {
                let (from, to, says) = (entry.own, entry.other, Says::Mistaken(reason));
                entry.said.push(Said::new(Message { id: message, from, to, issued: today, says }));
            }
        }
        keys
    }

    /// The match that a message is about, if the other side of that match says it over a pair of mailboxes.
    ///
    /// # Errors
    /// [`NotTheirs`]: to be left alone.
    pub fn about(&self, message: &Message, over: &Pair) -> Result<&Match, NotTheirs> {
        let about = |entry: &Match| entry.own == message.to && entry.other == message.from;
        let mut found = self.with_id(message.match_id()).map(|(_, entry)| entry);
        found.find(|entry| about(entry) && entry.has_met_over(over)).ok_or(NotTheirs)
    }

    /// Takes in what the other side says over a pair of mailboxes. Returns the match if this record of it changed. What a
    /// position or a card means is for the coordination.
    ///
    /// # Errors
    /// [`NotTheirs`]: to be left alone.
    pub fn hear(&mut self, message: &Message, over: &Pair) -> Result<Option<MatchKey>, NotTheirs> {
        let key = self.about(message, over)?.key();
        let entry = self.matches.get_mut(&key).ok_or(NotTheirs)?;
        let opened = entry.opens_over(over);
        // Once is enough, whatever the reason; so nobody can make this record grow.
        let marks = says_mistaken(message) && !entry.heard.iter().any(says_mistaken);
        if marks {
            entry.heard.push(message.clone());
        }
        Ok((opened || marks).then_some(key))
    }

    /// What the own side has said about this pair of cases under another name of the other side.
    pub(super) fn said_before(&self, id: MatchId) -> Vec<Said> {
        let said = self.with_id(id).flat_map(|(_, entry)| &entry.said).map(|said| &said.message);
        let mut marks: Vec<_> =
            said.filter(|message| says_mistaken(message)).cloned().map(Said::new).collect();
        marks.dedup();
        marks
    }
}

#[cfg(test)]
mod tests;
