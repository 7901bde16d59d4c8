use super::*;
use crate::covenant::check::findings;
use crate::sealing::ExchangeSecret;

pub(crate) struct Founder {
    pub(crate) card: SignedCard,
    pub(crate) key: SigningKey,
}

pub(crate) fn founder(index: u8, id: &str) -> Founder {
    let seed = |purpose: u8| Secret::new([purpose * 16 + index; 32]);
    let key = SigningKey::from_seed(&seed(1));
    let card = MemberCard {
        id: id.parse().unwrap(),
        name: format!("Partner {id}"),
        kind: Kind::Other,
        oin: "00000001234567890000".parse().unwrap(),
        controller: id.parse().unwrap(),
        operator: id.parse().unwrap(),
        persons: 100,
        addresses: vec!["/ip4/127.0.0.1/tcp/1".into()],
        signing_key: key.verifying_key(),
        transport_key: SigningKey::from_seed(&seed(2)).verifying_key(),
        trace_key: ExchangeSecret::from_bytes(seed(3)).public(),
    };
    Founder { card: card.sign(&key), key }
}

pub(crate) fn founders(count: u8) -> Vec<Founder> {
    (0..count).map(|index| founder(index, &format!("p{index}"))).collect()
}

pub(crate) fn annex() -> Annex {
    Annex { pepper: Secret::new([9; 32]) }
}

/// The first six hold keys, the last four are matchers, as in the demonstration.
pub(crate) fn covenant(founders: &[Founder]) -> Covenant {
    let ids: Vec<MemberId> = founders.iter().map(|founder| founder.card.card.id.clone()).collect();
    Covenant {
        title: "Test".into(),
        version: 1,
        previous: None,
        annex: annex().hash(),
        key_holders: ids[..ids.len().min(6)].to_vec(),
        matchers: ids[ids.len().saturating_sub(4)..].to_vec(),
        trace_keys: [ids[0].clone(), ids[1].clone()],
        epochs: EpochTerms::starting(Day::from_days(20_000)),
        tempo: Tempo::Immediate,
        purposes: vec![Purpose {
            id: "jeugd".parse().unwrap(),
            title: "Jeugd".into(),
            legal_ground: "Test".into(),
            members: ids.clone(),
            bsn_members: ids.clone(),
            recipes: vec!["default".into()],
            disclosure: Disclosure::NameAtOnce,
            signal_months: 12,
            coordination: None,
        }],
        budgets: ids.iter().map(|id| Budget::for_caseload(id.clone(), 100, 1)).collect(),
        members: founders.iter().map(|founder| founder.card.clone()).collect(),
    }
}

pub(crate) fn signed(founders: &[Founder], covenant: &Covenant) -> SignedCovenant {
    let sign = |founder: &Founder| MemberSignature::new(founder.card.card.id.clone(), &founder.key, covenant);
    SignedCovenant::assemble(covenant, Some(&annex()), founders.iter().map(sign).collect())
}

#[test]
fn every_member_must_have_signed() {
    let founders = founders(6);
    let covenant = covenant(&founders);
    let whole = signed(&founders, &covenant);
    let verified = codec::decode::<SignedCovenant>(&codec::encode(&whole)).unwrap().verify().unwrap();
    assert_eq!(verified.hash(), covenant.hash());
    assert!(verified.annex().is_ok());

    let mut missing = whole.clone();
    missing.signatures.remove(2);
    assert_eq!(missing.verify().unwrap_err(), CovenantError::Signatures(vec!["p2".parse().unwrap()]));
    let mut borrowed = whole.clone();
    borrowed.signatures[2].signature = borrowed.signatures[3].signature;
    assert_eq!(borrowed.verify().unwrap_err(), CovenantError::Signatures(vec!["p2".parse().unwrap()]));
    let mut other_pepper = whole.clone();
    other_pepper.pepper = Some(Pepper::from_bytes([1; 32]));
    assert_eq!(other_pepper.verify().unwrap_err(), CovenantError::Annex);
    let mut public = whole;
    public.pepper = None;
    assert_eq!(public.verify().unwrap().annex().unwrap_err(), CovenantError::Annex);
}

#[test]
fn a_covenant_reads_as_toml_and_back() {
    let mut covenant = covenant(&founders(6));
    covenant.purposes[0].coordination = Some(Coordination::default());
    let text = toml::to_string(&covenant).unwrap();
    assert_eq!(toml::from_str::<Covenant>(&text).unwrap(), covenant);
    assert!(toml::from_str::<Covenant>(&format!("surprise = 1\n{text}")).is_err());
}

#[test]
fn rules_are_checked_and_named() {
    let founders = founders(6);
    let good = covenant(&founders);
    let texts = |covenant: &Covenant| {
        findings(covenant).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert!(check::errors(&good).is_empty(), "{}", texts(&good));
    assert!(texts(&good).contains("tempo immediate"));
    type Break = fn(&mut Covenant);
    let coordination = |c: &mut Covenant, change: fn(&mut Coordination)| {
        change(c.purposes[0].coordination.insert(Coordination::default()));
    };
    for (expected, change) in [
        ("1 to 60 working days", (|c| c.respond_days = 0) as fn(&mut Coordination)),
        ("1 to 60 working days", |c| c.coordinator_days = 61),
        ("name 1 to 64 functions", |c| c.functions.clear()),
    ] {
        let mut covenant = good.clone();
        coordination(&mut covenant, change);
        assert!(texts(&covenant).contains(expected), "{expected}: {}", texts(&covenant));
    }
    let breaks: [(&str, Break); 13] = [
        ("not a member", |c| c.matchers.push("nobody".parse().unwrap())),
        ("twice", |c| c.matchers.push(c.matchers[0].clone())),
        ("key holders; choose", |c| c.key_holders.truncate(2)),
        ("altered after signing", |c| c.members[0].card.name = "Other".into()),
        ("has no budget", |c| c.budgets.truncate(5)),
        ("unknown", |c| c.purposes[0].recipes = vec!["astrology".into()]),
        ("no purposes", |c| c.purposes.clear()),
        ("may use the BSN but takes no part", |c| {
            c.purposes[0].members.remove(0);
        }),
        ("trace keys", |c| c.trace_keys[1] = c.trace_keys[0].clone()),
        ("first covenant", |c| c.version = 2),
        ("at most half of them", |c| c.epochs.overlap_days = c.epochs.days / 2 + 1),
        ("at least one day", |c| c.epochs.overlap_days = 0),
        ("at most 400 days", |c| c.epochs.days = 401),
    ];
    for (expected, breaking) in breaks {
        let mut covenant = good.clone();
        breaking(&mut covenant);
        assert!(texts(&covenant).contains(expected), "{expected}: {}", texts(&covenant));
        assert!(!check::errors(&covenant).is_empty(), "{expected}");
    }
}

#[test]
fn one_controller_counts_as_one_party() {
    let mut founders = founders(6);
    let mut card = founders[5].card.card.clone();
    card.controller = founders[4].card.card.controller.clone();
    founders[5].card = card.sign(&founders[5].key);
    let mut covenant = covenant(&founders);
    assert!(check::errors(&covenant)[0].text.contains("one controller or operator"));
    covenant.key_holders.pop();
    assert_eq!(check::errors(&covenant), []);
    let id = |text: &str| text.parse::<MemberId>().unwrap();
    assert!(!covenant.holders_of(&id("p5")).contains(&id("p4")));
    assert!(!covenant.matchers_for(&id("p4")).contains(&id("p5")));
    assert!(!covenant.relays_for(&id("p4"), &id("p0")).contains(&id("p5")));
}
