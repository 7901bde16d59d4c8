use kring_protocol::id::Reference;
use kring_protocol::time::{Day, Timestamp};

use super::{Case, Contact, Informed};
use crate::testing::golden;

#[test]
fn golden_bytes_of_a_case() {
    let case: Case = golden(&CASE);
    assert_eq!((case.id.0.as_bytes(), case.reference.as_bytes()), (&[1; 16], &[2; 16]));
    assert_eq!((case.case_reference.as_str(), case.purpose.as_str()), ("A-1", "jeugd"));
    let [person] = case.persons.as_slice() else { panic!("{} persons", case.persons.len()) };
    let typed = person.typed();
    assert_eq!((typed.role.as_str(), typed.bsn.as_str()), ("child", "999993653"));
    assert_eq!((typed.given_names.as_str(), typed.birth_date.as_str()), ("Sanne", "2015-02-01"));
    let contact = Contact {
        name: "Ans".into(),
        function: "arts".into(),
        phone: "0301234567".into(),
        email: "ans@partner.example".into(),
    };
    assert_eq!(case.contact, Some(contact));
    assert_eq!(case.family_informed, Some(Informed { informed: false, reason: Some("safety".into()) }));
    assert_eq!((case.min, case.expiry), (3, Day::from_days(20_900)));
    assert_eq!(case.created, Timestamp::from_secs(1_800_000_000));
    assert_eq!(case.withdrawn, Some(Timestamp::from_secs(1_800_000_001)));
    assert_eq!(case.request, Some(("key-1".into(), Reference::from_bytes([3; 16]))));
}

#[test]
fn golden_bytes_of_a_bare_case() {
    let case: Case = golden(&BARE);
    assert!(case.persons.is_empty() && case.contact.is_none() && case.family_informed.is_none());
    assert!(case.withdrawn.is_none() && case.request.is_none());
}

const CASE: [&str; 9] = [
    "01ac6269645001010101010101010101010101010101697265666572656e636550020202020202020202020202020202",
    "026e636173655f7265666572656e636563412d3167707572706f7365656a6575676467706572736f6e7381a964726f6c",
    "65656368696c646362736e693939393939333635336b676976656e5f6e616d65736553616e6e656b6e616d655f707265",
    "666978606b66616d696c795f6e616d65606a62697274685f646174656a323031352d30322d30316b706f7374616c5f63",
    "6f6465606c686f7573655f6e756d6265726073686f7573655f6e756d6265725f7375666669786067636f6e74616374a4",
    "646e616d6563416e736866756e6374696f6e64617274736570686f6e656a3033303132333435363765656d61696c7361",
    "6e7340706172746e65722e6578616d706c656f66616d696c795f696e666f726d6564a268696e666f726d6564f4667265",
    "61736f6e66736166657479636d696e0367637265617465641a6b49d200666578706972791951a4697769746864726177",
    "6e1a6b49d201677265717565737482656b65792d315003030303030303030303030303030303",
];
const BARE: [&str; 4] = [
    "01ac6269645001010101010101010101010101010101697265666572656e636550020202020202020202020202020202",
    "026e636173655f7265666572656e636563412d3167707572706f7365656a6575676467706572736f6e738067636f6e74",
    "616374f66f66616d696c795f696e666f726d6564f6636d696e0267637265617465641a6b49d200666578706972791951",
    "a46977697468647261776ef66772657175657374f6",
];
