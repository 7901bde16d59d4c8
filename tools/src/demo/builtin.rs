//! The built-in caseload of `kring demo`: six Dutch partners, about 300 invented families, and the truth.
//!
//! From a fixed seed, so every run shows the same. It holds what recognition meets in practice: households,
//! siblings and parents known to different partners, spelling variants, partners without BSN, one family twice at
//! one partner, children of two households, and near misses that must not match. It leaves out what the default
//! recipes take for one person on purpose: twins, and namesakes in one household.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

mod names;
mod record;
mod world;

use record::{PrefixStyle, Style, Variation};
use world::{NearMiss, World};

const SEED: u64 = 20_260_821;

const ORDINARY_FAMILIES: usize = 160;
const FAMILIES_OF_TWO_HOUSEHOLDS: usize = 15;
const FAMILIES_TWICE_AT_ONE_PARTNER: usize = 12;
const FAMILIES_KNOWN_BY_DIFFERENT_CHILDREN: usize = 15;
const NEAR_MISSES_OF_EACH_KIND: usize = 12;

/// A partner's part of the built-in caseload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartnerFile {
    /// The partner's id and the file's stem.
    pub(crate) stem: &'static str,
    /// The partner's name as people read it.
    pub(crate) name: &'static str,
    /// What the file holds, in the form of `--caseload DIR`.
    pub(crate) csv: String,
    /// How many cases it has.
    pub(crate) cases: usize,
}

/// The built-in caseload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BuiltIn {
    /// The six partners.
    pub(crate) partners: Vec<PartnerFile>,
    /// Which of their cases are one family's.
    pub(crate) truth: Truth,
}

impl BuiltIn {
    /// Only the first `count` partners, and what is true among them.
    pub(crate) fn first(mut self, count: usize) -> Self {
        self.partners.truncate(count);
        let kept: BTreeSet<&str> = self.partners.iter().map(|partner| partner.stem).collect();
        let among = |pair: &Pair| pair.cases().iter().all(|case| kept.contains(case.partner.as_str()));
        self.truth.0.retain(among);
        self
    }
}

/// A case at a partner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CaseAt {
    /// The partner's stem.
    pub(crate) partner: String,
    /// The partner's own reference.
    pub(crate) case: String,
}

/// Two cases of different partners, in whichever order they were given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair(CaseAt, CaseAt);

impl Pair {
    pub(crate) fn new(one: CaseAt, other: CaseAt) -> Self {
        if one <= other { Self(one, other) } else { Self(other, one) }
    }

    /// Both cases, the smaller first.
    pub(crate) const fn cases(&self) -> [&CaseAt; 2] {
        [&self.0, &self.1]
    }

    /// Whether one of the cases is at one of these partners.
    pub(crate) fn is_at(&self, partners: &BTreeSet<String>) -> bool {
        self.cases().iter().any(|case| partners.contains(&case.partner))
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(a, b) = self;
        write!(f, "{} case {} = {} case {}", a.partner, a.case, b.partner, b.case)
    }
}

/// All pairs of cases of different partners that share a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Truth(BTreeSet<Pair>);

/// How what was found differs from the truth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// True, but not found.
    pub(crate) missing: Vec<Pair>,
    /// Found, but not true.
    pub(crate) unexpected: Vec<Pair>,
}

impl Truth {
    /// Number of true pairs.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What is true among the partners other than these.
    pub(crate) fn without(mut self, partners: &BTreeSet<String>) -> Self {
        self.0.retain(|pair| !pair.is_at(partners));
        self
    }

    /// Compares with what was found.
    pub(crate) fn compare(&self, found: &BTreeSet<Pair>) -> Comparison {
        Comparison {
            missing: self.0.difference(found).cloned().collect(),
            unexpected: found.difference(&self.0).cloned().collect(),
        }
    }
}

struct Partner {
    stem: &'static str,
    name: &'static str,
    reference: &'static str,
    style: Style,
}

const SCHOOL: usize = 1;
const POLITIE: usize = 3;
const GGZ: usize = 4;
const JEUGDBESCHERMING: usize = 5;

const fn style(separator: char, dutch_dates: bool, prefix: PrefixStyle, uses_bsn: bool) -> Style {
    Style {
        separator,
        byte_order_mark: false,
        line_end: "\n",
        dutch_dates,
        prefix,
        capitals: false,
        uses_bsn,
    }
}

/// The constants above are places in this list.
const PARTNERS: [Partner; 6] = [
    Partner {
        stem: "wijkteam",
        name: "Wijkteam Noord",
        reference: "WT",
        style: style(',', false, PrefixStyle::Column, true),
    },
    Partner {
        stem: "school",
        name: "Scholengroep De Linde",
        reference: "L",
        style: Style {
            byte_order_mark: true,
            line_end: "\r\n",
            ..style(';', true, PrefixStyle::Before, false)
        },
    },
    Partner {
        stem: "veilig-thuis",
        name: "Veilig Thuis",
        reference: "VT",
        style: style(',', true, PrefixStyle::Column, true),
    },
    Partner {
        stem: "politie",
        name: "Politie Basisteam Noord",
        reference: "PL",
        style: Style { capitals: true, ..style(';', false, PrefixStyle::Behind, false) },
    },
    Partner {
        stem: "ggz",
        name: "GGZ Rivierenland",
        reference: "G",
        style: style(',', true, PrefixStyle::Short, false),
    },
    Partner {
        stem: "jeugdbescherming",
        name: "Jeugdbescherming",
        reference: "JB",
        style: Style { line_end: "\r\n", ..style(';', false, PrefixStyle::Before, true) },
    },
];

/// Makes the caseload, always the same one.
pub(crate) fn caseload() -> BuiltIn {
    from_seed(SEED)
}

fn from_seed(seed: u64) -> BuiltIn {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World::new(&mut rng);
    let mut cases = Cases::default();
    ordinary_families(&mut rng, &mut world, &mut cases);
    special_families(&mut rng, &mut world, &mut cases);
    near_misses(&mut rng, &mut world, &mut cases);
    for cases in &mut cases.0 {
        cases.shuffle(&mut rng);
    }
    let truth = cases.truth();
    let file = |(partner, cases): (usize, &Vec<Case>)| write_file(&mut rng, &mut world, partner, cases);
    BuiltIn { partners: cases.0.iter().enumerate().map(file).collect(), truth }
}

/// A family as one partner knows it.
struct Case {
    household: usize,
    persons: Vec<usize>,
}

/// The cases of each partner; a case's reference follows from its place.
#[derive(Default)]
struct Cases([Vec<Case>; PARTNERS.len()]);

impl Cases {
    fn add(&mut self, partner: usize, household: usize, persons: Vec<usize>) {
        self.0[partner].push(Case { household, persons });
    }

    fn truth(&self) -> Truth {
        let mut known: BTreeMap<usize, Vec<CaseAt>> = BTreeMap::new();
        for (partner, cases) in self.0.iter().enumerate() {
            for (place, case) in cases.iter().enumerate() {
                for &person in &case.persons {
                    let case = CaseAt {
                        partner: PARTNERS[partner].stem.to_owned(),
                        case: reference(partner, place),
                    };
                    known.entry(person).or_default().push(case);
                }
            }
        }
        let mut truth = Truth::default();
        for cases in known.values() {
            for (place, one) in cases.iter().enumerate() {
                let others = cases[place..].iter().filter(|other| other.partner != one.partner);
                truth.0.extend(others.map(|other| Pair::new(one.clone(), other.clone())));
            }
        }
        truth
    }
}

fn reference(partner: usize, place: usize) -> String {
    format!("{}-2026-{:04}", PARTNERS[partner].reference, place + 1)
}

/// `count` different partners.
fn some_partners(rng: &mut StdRng, count: usize) -> Vec<usize> {
    rand::seq::index::sample(rng, PARTNERS.len(), count).into_vec()
}

/// Whom of a household a partner of this kind knows: at least one person.
fn known_to(rng: &mut StdRng, partner: usize, world: &World, household: usize) -> Vec<usize> {
    let household = &world.households[household];
    let (parents, children) = (&household.parents, &household.children);
    match partner {
        SCHOOL => {
            let count = rng.gen_range(1..=children.len().min(2));
            children.choose_multiple(rng, count).copied().collect()
        }
        POLITIE => {
            let child = children.first().filter(|_| rng.gen_bool(0.4));
            parents.choose(rng).into_iter().chain(child).copied().collect()
        }
        GGZ => {
            let patient = rng.gen_range(0..parents.len() + children.len());
            parents.iter().chain(children).skip(patient).take(1).copied().collect()
        }
        JEUGDBESCHERMING => children.iter().chain(parents.first()).copied().collect(),
        _ => parents.iter().chain(children).copied().collect(),
    }
}

fn ordinary_families(rng: &mut StdRng, world: &mut World, cases: &mut Cases) {
    for _ in 0..ORDINARY_FAMILIES {
        let household = world.add_family(rng);
        let count = *[1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4].choose(rng).expect("not empty");
        for partner in some_partners(rng, count) {
            cases.add(partner, household, known_to(rng, partner, world, household));
        }
    }
}

fn special_families(rng: &mut StdRng, world: &mut World, cases: &mut Cases) {
    for _ in 0..FAMILIES_OF_TWO_HOUSEHOLDS {
        let first = world.add_family(rng);
        let second = world.add_second_household(rng, first);
        let partners = some_partners(rng, 2);
        for (partner, household) in partners.into_iter().zip([first, second]) {
            let children = world.households[household].children.clone();
            let parent = world.households[household].parents[0];
            cases.add(partner, household, [children, vec![parent]].concat());
        }
    }
    for _ in 0..FAMILIES_TWICE_AT_ONE_PARTNER {
        let household = world.add_family(rng);
        let partners = some_partners(rng, 2);
        for partner in [partners[0], partners[0], partners[1]] {
            cases.add(partner, household, known_to(rng, partner, world, household));
        }
    }
    for _ in 0..FAMILIES_KNOWN_BY_DIFFERENT_CHILDREN {
        let household = world.add_family(rng);
        let children = world.households[household].children.clone();
        for (partner, child) in some_partners(rng, 2).into_iter().zip(children) {
            cases.add(partner, household, vec![child]);
        }
    }
}

fn near_misses(rng: &mut StdRng, world: &mut World, cases: &mut Cases) {
    for kind in [NearMiss::Name, NearMiss::BirthDate, NearMiss::Address] {
        for _ in 0..NEAR_MISSES_OF_EACH_KIND {
            let household = world.add_family(rng);
            let other = world.add_near_miss(rng, household, kind);
            for (partner, household) in some_partners(rng, 2).into_iter().zip([household, other]) {
                cases.add(partner, household, world.households[household].children.clone());
            }
        }
    }
}

fn write_file(rng: &mut StdRng, world: &mut World, partner: usize, cases: &[Case]) -> PartnerFile {
    let Partner { stem, name, style, .. } = &PARTNERS[partner];
    let mut csv = String::new();
    if style.byte_order_mark {
        csv.push('\u{feff}');
    }
    write_line(&mut csv, style, kring_node::caseload::COLUMNS);
    for (place, case) in cases.iter().enumerate() {
        let old_address = world.new_address();
        let address = &world.households[case.household].address;
        for (number, &person) in case.persons.iter().enumerate() {
            let person = &world.persons[person];
            let variation = Variation::draw(rng, person, &old_address);
            let cells = record::cells(rng, style, person, address, &variation);
            let ids = [reference(partner, place), (number + 1).to_string()];
            write_line(&mut csv, style, ids.iter().chain(&cells));
        }
    }
    PartnerFile { stem, name, csv, cases: cases.len() }
}

fn write_line(csv: &mut String, style: &Style, cells: impl IntoIterator<Item = impl AsRef<str>>) {
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            csv.push(style.separator);
        }
        let cell = cell.as_ref();
        if cell.contains(style.separator) { csv.extend(["\"", cell, "\""]) } else { csv.push_str(cell) }
    }
    csv.push_str(style.line_end);
}

#[cfg(test)]
mod tests;
