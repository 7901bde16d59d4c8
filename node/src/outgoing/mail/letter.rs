//! The words of a mail: the same for everyone, with nothing in them that says about whom or what.

use kring_protocol::time::{Day, Timestamp};
use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};

use super::state::{Letter, Says};
use crate::texts::{self, Language};

/// From whom mails are, and where they lead.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Their `From`.
    pub from: Mailbox,
    /// The partner's name.
    pub organisation: String,
    /// Where people sign in.
    pub link: String,
}

/// To whom a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// One of the partner's people.
    Colleague,
    /// The process coordinator, who cannot sign in here.
    Coordinator,
}

/// A mail, ready to be sent. None when it cannot be written, as when an address has characters that no mail takes.
#[must_use]
pub fn message(sender: &Sender, to: Mailbox, reader: Reader, letter: &Letter) -> Option<Message> {
    let id = format!("<{}@{}>", letter.id, sender.from.email.domain());
    let builder = headed(sender, to, id, letter.made);
    builder.body(body(sender, reader, &letter.says)).ok()
}

fn headed(sender: &Sender, to: Mailbox, id: String, at: Timestamp) -> MessageBuilder {
    let date = std::time::UNIX_EPOCH + std::time::Duration::from_secs(at.secs());
    // RFC 3834: no out-of-office reply comes back to it.
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    Message::builder()
        .from(sender.from.clone())
        .to(to)
        .subject(say("mail-subject", &[]))
        .date(date)
        .message_id(Some(id))
        .header(ContentType::TEXT_PLAIN)
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
}

fn body(sender: &Sender, reader: Reader, says: &Says) -> String {
    let mut lines = match reader {
        Reader::Colleague => vec![say("mail-greeting", &[]), String::new()],
        Reader::Coordinator => vec![say("mail-greeting-coordinator", &[]), String::new()],
    };
    match reader {
        Reader::Colleague => lines.extend(for_colleague(sender, says)),
        Reader::Coordinator => lines.push(counted("mail-coordinator", says.waiting, Some(says.waited))),
    }
    lines.extend([
        String::new(),
        say("mail-nothing-personal", &[]),
        String::new(),
        say("mail-closing", &[]),
        sender.organisation.clone(),
        String::new(),
    ]);
    lines.join("\r\n")
}

fn for_colleague(sender: &Sender, says: &Says) -> Vec<String> {
    let mut lines = Vec::new();
    if says.new > 0 {
        lines.push(counted("mail-new", says.new, None));
    }
    if says.reminders > 0 {
        lines.push(counted("mail-reminder", says.reminders, None));
    }
    if says.waiting > 0 {
        lines.push(counted("mail-team", says.waiting, Some(says.waited)));
    }
    lines.push(say("mail-link", &[("link", &sender.link)]));
    lines.extend(says.deadline.map(|day| say("mail-deadline", &[("date", &date(day))])));
    lines
}

/// One message for one, another for several.
fn counted(id: &str, count: u32, days: Option<u32>) -> String {
    let (count, days) = (count.to_string(), days.map(|days| days.to_string()).unwrap_or_default());
    let arguments = [("count", count.as_str()), ("days", days.as_str())];
    if count == "1" {
        say(&format!("{id}-one"), &arguments)
    } else {
        say(&format!("{id}-several"), &arguments)
    }
}

/// `26 november 2026`.
fn date(day: Day) -> String {
    let text = day.to_string();
    let parts: Vec<_> = text.split('-').map(|part| part.trim_start_matches('0')).collect();
    match parts[..] {
        [year, month, day] => format!("{day} {} {year}", say(&format!("mail-month-{month}"), &[])),
        _ => text,
    }
}

/// Mails are in Dutch: an account has no language, and one text is the same for everyone.
fn say(id: &str, arguments: &[(&str, &str)]) -> String {
    texts::mail(Language::Dutch, id, arguments)
}

#[cfg(test)]
mod tests {
    use kring_protocol::id::Reference;

    use super::*;

    fn sender() -> Sender {
        let from = "Kring <kring@partner.example>".parse().unwrap();
        Sender {
            from,
            organisation: "Wijkteam".to_owned(),
            link: "https://kring.partner.example/".to_owned(),
        }
    }

    fn write(reader: Reader, says: Says) -> String {
        let id = Reference::from_bytes([7; 16]);
        let made = Timestamp::from_secs(1_795_000_000);
        let letter = Letter { id, says, made, attempts: 0, next: made };
        let to = "bea@partner.example".parse().unwrap();
        String::from_utf8(message(&sender(), to, reader, &letter).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_mail_says_that_there_is_something_and_nothing_else() {
        let deadline = Some(Day::from_days(20_783)); // 2026-11-26
        let text = write(Reader::Colleague, Says { new: 1, deadline, ..Says::default() });
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(
            body.trim_end(),
            "Beste collega,\r\n\r\nEr staat een bericht voor u klaar.\r\n\
             Log in om het te lezen: https://kring.partner.example/\r\n\
             Reageer uiterlijk op 26 november 2026.\r\n\r\n\
             In deze e-mail staan geen gegevens over personen.\r\n\r\nMet vriendelijke groet,\r\nWijkteam"
        );
        for line in [
            "Subject: U hebt een bericht in Kring",
            "To: bea@partner.example",
            "Message-ID: <07070707070707070707070707070707@partner.example>",
            "Auto-Submitted: auto-generated",
            "Date: Wed, 18 Nov 2026 11:06:40 +0000",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(head.contains(line), "{line}: {head}");
        }
        let text = write(Reader::Colleague, Says { new: 3, reminders: 1, ..Says::default() });
        assert!(text.contains("Er staan 3 berichten voor u klaar."), "{text}");
        assert!(
            text.contains("Er staat nog een bericht voor u klaar.") && !text.contains("Reageer"),
            "{text}"
        );
        let text = write(Reader::Colleague, Says { waiting: 1, waited: 5, ..Says::default() });
        assert!(text.contains("Een bericht binnen uw team wacht al 5 werkdagen."), "{text}");
    }

    #[test]
    fn the_coordinator_learns_that_a_match_has_waited_and_gets_no_link() {
        let text = write(Reader::Coordinator, Says { waiting: 1, waited: 10, ..Says::default() });
        assert!(text.contains("Een match wacht al 10 werkdagen."), "{text}");
        assert!(!text.contains("http") && !text.contains("Log in"), "{text}");
        let text = write(Reader::Coordinator, Says { waiting: 2, waited: 10, ..Says::default() });
        assert!(text.contains("2 matches wachten al 10 werkdagen of langer."), "{text}");
    }

    #[test]
    fn dates_are_written_as_people_do() {
        assert_eq!(date(Day::from_days(0)), "1 januari 1970");
        for month in 1..=12 {
            for language in [Language::Dutch, Language::English] {
                assert!(!texts::mail(language, &format!("mail-month-{month}"), &[]).is_empty());
            }
        }
    }
}
