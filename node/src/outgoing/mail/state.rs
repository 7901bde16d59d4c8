//! What is to be mailed to one person, and when: pure rules, without mail.
//!
//! News of several cases and several partners is one mail. Mails come once a day at a set hour, or at once; reminders and
//! what else a date brings never come in the night, and never twice a day.

use kring_protocol::calendar::{local_day, local_moment};
use kring_protocol::codec::Wire;
use kring_protocol::id::Reference;
use kring_protocol::time::{Day, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cases::CaseId;
use crate::coordination::What;
use crate::outgoing::happening::{ForWhom, Happening};
use crate::people::MailWish;

/// So many cases wait for one mail; of further ones nothing is said, and the mail is the same.
const NEWS_MAX: usize = 500;
/// Who wants mails at once gets them not more often than this, in seconds: ten news in a row are two mails.
const BETWEEN_SECS: u64 = 900;

/// What is new about one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct News {
    /// The case.
    pub case: CaseId,
    /// Since when.
    pub since: Timestamp,
    /// Something happened.
    pub new: bool,
    /// Something waits.
    pub reminder: bool,
    /// Something in the team, or of the partner, has waited so many working days.
    pub waited: Option<u32>,
}

impl News {
    /// A date brought it, nothing that somebody did.
    const fn is_of_a_date(&self) -> bool {
        !self.new
    }
}

/// A mail that is to be sent, or sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    /// Of its `Message-ID`: the same however often it is tried.
    pub id: Reference,
    /// What it says.
    pub says: Says,
    /// When it was made.
    pub made: Timestamp,
    /// So often it was tried.
    pub attempts: u32,
    /// Not before this.
    pub next: Timestamp,
}

/// What a mail says: numbers and a date, nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Says {
    /// Notices with news.
    pub new: u32,
    /// Notices of which it is only a reminder.
    pub reminders: u32,
    /// Notices of others that have waited too long.
    pub waiting: u32,
    /// So many working days, each of them.
    pub waited: u32,
    /// The first last day.
    pub deadline: Option<Day>,
}

/// What is to be mailed to one person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailState {
    /// What is not in a mail yet, by case.
    news: Vec<News>,
    /// The mail that is being sent.
    pub letter: Option<Letter>,
    /// When the last was made.
    made: Option<Timestamp>,
    /// The day of the last that reminded.
    reminded: Option<Day>,
}

impl Wire for MailState {
    const MAX_LEN: usize = 60_000;
}

/// When somebody is mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// As they wish.
    pub wish: MailWish,
    /// The hour of the daily mail, in minutes after midnight in Amsterdam.
    pub minutes: u32,
}

impl MailState {
    /// Something happened that they are to know of. False for what nobody is mailed about.
    pub fn add(&mut self, happening: &Happening) -> bool {
        if happening.kind == What::Closed {
            return false; // by themselves
        }
        let own = happening.for_whom == ForWhom::Owner;
        let reminder = happening.kind == What::Reminder;
        let known = self.news.iter().position(|news| news.case == happening.case);
        if known.is_none() && self.news.len() >= NEWS_MAX {
            return true;
        }
        let at = known.unwrap_or_else(|| {
            let (case, since) = (happening.case, happening.at);
            self.news.push(News { case, since, new: false, reminder: false, waited: None });
            self.news.len() - 1
        });
        let news = &mut self.news[at];
        news.new |= own && !reminder;
        news.reminder |= reminder;
        if !own {
            news.waited = news.waited.max(happening.waited);
        }
        true
    }

    /// Whether there is nothing to be kept.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.news.is_empty() && self.letter.is_none()
    }

    /// When the next mail is to be made, if there is anything to say.
    #[must_use]
    pub fn due(&self, rhythm: Rhythm) -> Option<Timestamp> {
        if self.letter.is_some() {
            return None;
        }
        self.news.iter().map(|news| self.due_of(news, rhythm)).min()
    }

    fn due_of(&self, news: &News, Rhythm { wish, minutes }: Rhythm) -> Timestamp {
        let day = local_day(news.since);
        let hour = local_moment(day, minutes);
        let due = match wish {
            MailWish::Digest if news.since <= hour => hour,
            MailWish::Digest => local_moment(day.plus(1), minutes),
            MailWish::AtOnce if news.is_of_a_date() => news.since.max(hour),
            MailWish::AtOnce => news.since,
        };
        let after_the_last = self.made.map(|made| match wish {
            MailWish::Digest => local_moment(local_day(made).plus(1), minutes),
            MailWish::AtOnce => made.plus_secs(BETWEEN_SECS),
        });
        let after_a_reminder = self
            .reminded
            .filter(|_| news.reminder && !news.new)
            .map(|reminded| local_moment(reminded.plus(1), minutes));
        [Some(due), after_the_last, after_a_reminder].into_iter().flatten().max().unwrap_or(due)
    }

    /// Makes the mail that is due. `deadline` gives the last day of a case's notice, or none when there is no notice any more;
    /// when that leaves nothing to say, there is no mail.
    pub fn write(
        &mut self,
        rhythm: Rhythm,
        now: Timestamp,
        id: Reference,
        deadline: impl Fn(&CaseId) -> Option<Option<Day>>,
    ) {
        let today = local_day(now);
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.news).into_iter().partition(|news| self.due_of(news, rhythm) <= now);
        self.news = later;
        let mut says = Says::default();
        let still = due.into_iter().filter_map(|news| Some((deadline(&news.case)?, news)));
        for (deadline, news) in still {
            if news.new || news.reminder {
                says.deadline = says.deadline.into_iter().chain(deadline).min();
            }
            says.new += u32::from(news.new);
            says.reminders += u32::from(news.reminder && !news.new);
            if let Some(waited) = news.waited {
                says.waited = if says.waiting == 0 { waited } else { says.waited.min(waited) };
                says.waiting += 1;
            }
        }
        if says == Says::default() {
            return;
        }
        if says.reminders > 0 {
            self.reminded = Some(today);
        }
        self.made = Some(now);
        self.letter = Some(Letter { id, says, made: now, attempts: 0, next: now });
    }

    /// Nobody is there to be mailed any more.
    pub fn clear(&mut self) {
        self.news.clear();
        self.letter = None;
    }
}

#[cfg(test)]
mod tests;
