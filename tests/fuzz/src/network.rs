//! A small network as its covenant describes it: six members, all of whom hold keys, the last three of whom are matchers.

use kring_protocol::covenant::{
    Annex, Budget, Covenant, Disclosure, EpochTerms, Kind, MemberCard, MemberSignature, Purpose,
    SignedCovenant, Tempo, VerifiedCovenant,
};
use kring_protocol::id::{Epoch, MemberId};
use kring_protocol::sealing::ExchangeSecret;
use kring_protocol::secret::Secret;
use kring_protocol::subject_key::Scope;

use crate::{TODAY, id, signing};

/// Number of members.
pub const MEMBERS: u8 = 6;

/// A member's id, as long as ids may be.
#[must_use]
pub fn member(number: u8) -> MemberId {
    id(&format!("member-{number}-{}", "x".repeat(23)))
}

/// The covenant, signed by all.
#[must_use]
pub fn covenant() -> VerifiedCovenant {
    let members: Vec<MemberId> = (0..MEMBERS).map(member).collect();
    let annex = Annex { pepper: Secret::new([9; 32]) };
    let covenant = Covenant {
        title: "Fuzz".into(),
        version: 1,
        previous: None,
        annex: annex.hash(),
        key_holders: members.clone(),
        matchers: members[3..].to_vec(),
        trace_keys: [members[0].clone(), members[1].clone()],
        epochs: EpochTerms::starting(TODAY),
        tempo: Tempo::Immediate,
        purposes: vec![Purpose {
            id: "jeugd".parse().unwrap(),
            title: "Jeugd".into(),
            legal_ground: "Fuzz".into(),
            members: members.clone(),
            bsn_members: members.clone(),
            recipes: vec!["default".into()],
            disclosure: Disclosure::NameAtOnce,
            signal_months: 12,
            coordination: None,
        }],
        budgets: members.iter().map(|member| Budget::for_caseload(member.clone(), 100, 1)).collect(),
        members: (0..MEMBERS).map(|number| card(number).sign(&signing(number + 1))).collect(),
    };
    let sign = |number| MemberSignature::new(member(number), &signing(number + 1), &covenant);
    let signatures = (0..MEMBERS).map(sign).collect();
    SignedCovenant::assemble(&covenant, Some(&annex), signatures).verify().unwrap()
}

fn card(number: u8) -> MemberCard {
    let id = member(number);
    MemberCard {
        name: id.to_string(),
        kind: Kind::Other,
        oin: "00000001234567890000".parse().unwrap(),
        controller: id.clone().into(),
        operator: id.clone().into(),
        persons: 100,
        addresses: Vec::new(),
        signing_key: signing(number + 1).verifying_key(),
        transport_key: signing(number + 101).verifying_key(),
        trace_key: ExchangeSecret::from_bytes(Secret::new([number + 201; 32])).public(),
        id,
    }
}

/// Where a subject key of a matcher belongs.
#[must_use]
pub fn scope(covenant: &VerifiedCovenant, matcher: u8) -> Scope {
    Scope {
        network: covenant.network(),
        epoch: Epoch(1),
        purpose: "jeugd".parse().unwrap(),
        matcher: member(matcher),
    }
}
