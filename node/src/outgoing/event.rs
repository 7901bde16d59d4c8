//! An event as it leaves the node: a CloudEvent after the NL GOV profile, without content.
//!
//! It says that there is something to look at, about which notice, and of what kind: all else is fetched through the API, by
//! whoever may.

use kring_protocol::covenant::Oin;
use serde_json::{Value, json};

use super::happening::Happening;
use crate::application::moment;

/// The name of this system in the source of events.
const SYSTEM: &str = "kring";

/// Media type of an event as JSON.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";

/// The event of a happening. `notice` is the notice's opaque id.
#[must_use]
pub fn cloud_event(happening: &Happening, oin: &Oin, notice: &str) -> Value {
    json!({
        "specversion": "1.0",
        "id": happening.uuid(),
        "source": format!("urn:nld:oin:{}:systeem:{SYSTEM}", oin.as_str()),
        "type": format!("nl.kring.notice.{}.v1", happening.kind.as_str()),
        "time": moment(happening.at),
        "datacontenttype": "application/json",
        "data": { "noticeId": notice, "kind": happening.kind.word() },
    })
}

#[cfg(test)]
mod tests {
    use kring_protocol::id::Reference;
    use kring_protocol::time::Timestamp;

    use super::*;
    use crate::cases::CaseId;
    use crate::coordination::What;
    use crate::outgoing::happening::ForWhom;

    #[test]
    fn an_event_has_the_form_of_the_profile_and_nothing_more() {
        let mut happening = Happening {
            number: 1,
            id: Reference::from_bytes([0x11; 16]),
            at: Timestamp::from_secs(1_795_000_000),
            kind: What::LeadClaimed,
            case: CaseId(Reference::from_bytes([2; 16])),
            for_whom: ForWhom::Owner,
            waited: None,
        };
        let oin: Oin = "00000099000000001000".parse().unwrap();
        let expected = json!({
            "specversion": "1.0",
            "id": "11111111-1111-4111-9111-111111111111",
            "source": "urn:nld:oin:00000099000000001000:systeem:kring",
            "type": "nl.kring.notice.lead-claimed.v1",
            "time": "2026-11-18T11:06:40Z",
            "datacontenttype": "application/json",
            "data": { "noticeId": "abc", "kind": "leadClaimed" },
        });
        assert_eq!(cloud_event(&happening, &oin, "abc"), expected);
        for what in What::ALL {
            happening.kind = *what;
            let event = cloud_event(&happening, &oin, "abc");
            let name = event["type"].as_str().unwrap();
            let labels: Vec<_> = name.split('.').collect();
            assert!(labels.len() == 5 && labels[4] == "v1" && name.is_ascii(), "{name}");
            assert!(!event.to_string().contains("0202"), "the case's own id stays here");
        }
    }
}
