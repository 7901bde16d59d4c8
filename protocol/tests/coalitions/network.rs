//! An honest network in memory, and what each of its members gets to see of one person that one of them signals.
//!
//! Members are numbers here; member 3 is `p3`. Not here: what anybody makes of what it saw (`dictionary.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use curve25519_dalek::scalar::Scalar;
use kring_protocol::codec::encode;
use kring_protocol::covenant::{
    Annex, Budget, Covenant, CovenantError, Disclosure, EpochTerms, Kind, MemberCard, MemberSignature,
    Purpose, SignedCard, SignedCovenant, Tempo, VerifiedCovenant, threshold,
};
use kring_protocol::evaluation::{self, KeySpec, Party, PurposeTerms, Terms};
use kring_protocol::id::{Epoch, MemberId, PurposeId};
use kring_protocol::identifier::{Bsn, Person, RawPerson};
use kring_protocol::oprf::KeyShare;
use kring_protocol::recipe::{RecipeList, match_keys};
use kring_protocol::relay::TraceKeys;
use kring_protocol::sealing::ExchangeSecret;
use kring_protocol::secret::Secret;
use kring_protocol::sign::SigningKey;
use kring_protocol::subject_key::Scope;
use kring_protocol::submission::Destination;
use kring_protocol::time::Day;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

pub(super) const TODAY: Day = Day::from_days(20_010);
pub(super) const EPOCH: Epoch = Epoch(1);
/// Invented persons, of whom everybody could be meant.
pub(super) const PERSONS: usize = 16;
/// What member 0 may ask on a day, so that it can signal every person.
const WIDE: u32 = 16;
/// What every other member may ask on a day, and once on top.
pub(super) const PER_DAY: u32 = 5;
pub(super) const ALLOWANCE: u32 = 2;

pub(super) fn id(member: usize) -> MemberId {
    format!("p{member}").parse().unwrap()
}

pub(super) fn index(member: &MemberId) -> usize {
    member.as_str()[1..].parse().unwrap()
}

pub(super) fn purpose() -> PurposeId {
    "jeugd".parse().unwrap()
}

/// Who has which role.
#[derive(Clone, Debug)]
pub(super) struct Roles {
    pub(super) members: usize,
    pub(super) holders: Vec<usize>,
    pub(super) matchers: Vec<usize>,
}

/// A guard that a network may be without, to see that the attack then finds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// Subject keys are a plain hash of the input.
    Oprf,
    /// Members ask for inputs without a blind.
    Blinds,
    /// Every share of a key is the whole key.
    Threshold,
    /// Submissions pass a relay in the clear.
    Seals,
    /// A matcher holds a share of its own key like every other key holder.
    ForeignKey,
}

/// A founded network with its keys.
pub(super) struct Network {
    pub(super) covenant: VerifiedCovenant,
    /// What every member has: the covenant with its pepper, and the public shares.
    pub(super) common: Vec<u8>,
    pub(super) terms: Arc<Terms>,
    /// By holder and matcher.
    pub(super) shares: BTreeMap<(usize, usize), KeyShare>,
    pub(super) missing: Option<Guard>,
    signing: Vec<SigningKey>,
}

impl Network {
    /// Refused where the covenant's rules do not permit these roles.
    pub(super) fn found(roles: &Roles, missing: Option<Guard>) -> Result<Self, CovenantError> {
        let signing: Vec<_> =
            (0..roles.members).map(|member| SigningKey::from_seed(&seed(1, member))).collect();
        let text = covenant(roles, &signing);
        let sign = |(member, key): (usize, &SigningKey)| MemberSignature::new(id(member), key, &text);
        let signatures = signing.iter().enumerate().map(sign).collect();
        let signed = SignedCovenant::assemble(&text, Some(&annex()), signatures);
        let covenant = signed.verify()?;
        let (mut keys, mut shares) = (Vec::new(), BTreeMap::new());
        for matcher in &covenant.matchers {
            keys.push(make_key(&covenant, matcher, missing, &mut shares));
        }
        let mut common = encode(&signed);
        common.extend(keys.iter().flat_map(|key| &key.public).flat_map(|public| *public.as_bytes()));
        let terms = Arc::new(terms(&covenant, keys));
        Ok(Self { covenant, common, terms, shares, missing, signing })
    }

    pub(super) fn key(&self, member: usize) -> &SigningKey {
        &self.signing[member]
    }

    pub(super) fn keys(&self) -> &[KeySpec] {
        &self.terms.purposes[&purpose()].keys
    }

    pub(super) fn destination(&self, matcher: usize) -> Destination {
        Destination { network: self.covenant.network(), matcher: id(matcher) }
    }

    pub(super) fn scope(&self, matcher: usize) -> Scope {
        let network = self.covenant.network();
        Scope { network, epoch: EPOCH, purpose: purpose(), matcher: id(matcher) }
    }

    pub(super) fn trace_keys(&self) -> TraceKeys {
        let key = |member: &MemberId| (member.clone(), trace_secret(index(member)).public());
        TraceKeys { holders: self.covenant.trace_keys.each_ref().map(key) }
    }

    /// Every person's input to the OPRF, as every member can write it down.
    pub(super) fn inputs(&self) -> Vec<Vec<u8>> {
        let recipes = RecipeList::from_terms(&self.covenant.purpose(&purpose()).unwrap().recipes).unwrap();
        let numbers = (999_990_000..).map(|number: u32| number.to_string());
        let numbers = numbers.filter(|number| number.parse::<Bsn>().is_ok()).take(PERSONS);
        let input = |bsn: String| {
            let person = Person::parse(&RawPerson { bsn, ..RawPerson::default() }, TODAY).unwrap();
            let [key] = &match_keys(&person, &recipes)[..] else { panic!("one recipe, one key") };
            key.oprf_input(&self.covenant.network(), &self.covenant.annex().unwrap().pepper)
        };
        numbers.map(input).collect()
    }
}

fn seed(use_of: u8, member: usize) -> Secret<32> {
    Secret::new([use_of * 16 + u8::try_from(member).unwrap(); 32])
}

pub(super) fn trace_secret(member: usize) -> ExchangeSecret {
    ExchangeSecret::from_bytes(seed(3, member))
}

pub(super) fn weekly_secret(member: usize) -> ExchangeSecret {
    ExchangeSecret::from_bytes(seed(4, member))
}

fn annex() -> Annex {
    Annex { pepper: Secret::new([9; 32]) }
}

fn card(member: usize, key: &SigningKey) -> SignedCard {
    let name = id(member);
    let card = MemberCard {
        name: format!("Partner {name}"),
        kind: Kind::Other,
        oin: "00000001234567890000".parse().unwrap(),
        controller: name.as_str().parse().unwrap(),
        operator: name.as_str().parse().unwrap(),
        persons: 100,
        addresses: vec!["/ip4/127.0.0.1/tcp/1".into()],
        signing_key: key.verifying_key(),
        transport_key: SigningKey::from_seed(&seed(2, member)).verifying_key(),
        trace_key: trace_secret(member).public(),
        id: name,
    };
    card.sign(key)
}

fn covenant(roles: &Roles, signing: &[SigningKey]) -> Covenant {
    let ids = |members: &[usize]| members.iter().copied().map(id).collect::<Vec<_>>();
    let members: Vec<MemberId> = (0..roles.members).map(id).collect();
    let budget = |member: usize| {
        let (per_day, allowance) = if member == 0 { (WIDE, 0) } else { (PER_DAY, ALLOWANCE) };
        Budget { member: id(member), per_day, allowance }
    };
    Covenant {
        title: "Coalitions".into(),
        version: 1,
        previous: None,
        annex: annex().hash(),
        key_holders: ids(&roles.holders),
        matchers: ids(&roles.matchers),
        trace_keys: [id(0), id(roles.members - 1)],
        epochs: EpochTerms::starting(Day::from_days(20_000)),
        tempo: Tempo::Immediate,
        purposes: vec![Purpose {
            id: purpose(),
            title: "Jeugd".into(),
            legal_ground: "Test".into(),
            members: members.clone(),
            bsn_members: members,
            recipes: vec!["bsn".into()],
            disclosure: Disclosure::NameAtOnce,
            signal_months: 12,
            coordination: None,
        }],
        budgets: (0..roles.members).map(budget).collect(),
        members: signing.iter().enumerate().map(|(member, key)| card(member, key)).collect(),
    }
}

/// Shamir's sharing of a random key, over whom the covenant names.
fn make_key(
    covenant: &Covenant,
    matcher: &MemberId,
    missing: Option<Guard>,
    shares: &mut BTreeMap<(usize, usize), KeyShare>,
) -> KeySpec {
    let holders = if missing == Some(Guard::ForeignKey) {
        covenant.key_holders.clone()
    } else {
        covenant.holders_of(matcher)
    };
    let needed = if missing == Some(Guard::Threshold) { 1 } else { threshold(holders.len()) };
    let mut rng = ChaCha20Rng::seed_from_u64(100 + index(matcher) as u64);
    let coefficients: Vec<Scalar> = (0..needed).map(|_| Scalar::random(&mut rng)).collect();
    let mut public = Vec::new();
    for (x, holder) in (1_u64..).map(Scalar::from).zip(&holders) {
        let value = coefficients.iter().rev().fold(Scalar::ZERO, |sum, term| sum * x + term);
        let share = KeyShare::from_bytes(&Secret::new(value.to_bytes())).unwrap();
        public.push(*share.public());
        shares.insert((index(holder), index(matcher)), share);
    }
    KeySpec { matcher: matcher.clone(), threshold: u16::try_from(needed).unwrap(), holders, public }
}

fn terms(covenant: &VerifiedCovenant, keys: Vec<KeySpec>) -> Terms {
    let party = |card: &SignedCard| {
        let card = &card.card;
        let budget = covenant.budgets.iter().find(|budget| budget.member == card.id).unwrap();
        let party = Party {
            controller: format!("{:?}", card.controller),
            operator: format!("{:?}", card.operator),
            key: card.signing_key,
            budget: evaluation::Budget { per_day: budget.per_day.into(), allowance: budget.allowance.into() },
        };
        (card.id.clone(), party)
    };
    let members = covenant.purpose(&purpose()).unwrap().members.iter().cloned().collect();
    Terms {
        network: covenant.network(),
        covenant: covenant.hash(),
        epoch: EPOCH,
        parties: covenant.members.iter().map(party).collect(),
        key_holders: covenant.key_holders.clone(),
        purposes: [(purpose(), PurposeTerms { members, keys })].into(),
    }
}
