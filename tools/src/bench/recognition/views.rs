//! What each partner knows of the families, and how it writes that down.

use kring_protocol::identifier::RawPerson;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::errors::{self, Kind, Known, plain};
use super::families::{Family, Person, Place, World};

/// How many partners know a family, as often as it is drawn.
const PARTNERS_OF_A_FAMILY: [(usize, u32); 5] = [(1, 35), (2, 30), (3, 20), (4, 10), (5, 5)];

/// Where a partner writes a surname's prefix.
#[derive(Clone, Copy, Debug)]
enum Prefix {
    Column,
    Before,
    Behind,
    Short,
}

/// A partner and its way of writing.
#[derive(Debug)]
pub(crate) struct Partner {
    pub(crate) name: &'static str,
    /// Whom of a family it knows: parents and children, at most so many of each.
    parents: usize,
    children: usize,
    /// It knows one person only, parent or child.
    one: bool,
    prefix: Prefix,
    dutch_dates: bool,
    first_name_only: bool,
    capitals: bool,
}

const fn partner(name: &'static str, parents: usize, children: usize, prefix: Prefix) -> Partner {
    Partner {
        name,
        parents,
        children,
        one: false,
        prefix,
        dutch_dates: false,
        first_name_only: false,
        capitals: false,
    }
}

/// The partners of the benchmark.
pub(crate) const PARTNERS: [Partner; 6] = [
    Partner { one: true, dutch_dates: true, first_name_only: true, ..partner("ggz", 1, 1, Prefix::Short) },
    partner("jeugdbescherming", 1, 9, Prefix::Before),
    Partner { one: true, capitals: true, ..partner("politie", 1, 1, Prefix::Behind) },
    Partner { dutch_dates: true, first_name_only: true, ..partner("school", 0, 1, Prefix::Before) },
    Partner { dutch_dates: true, first_name_only: true, ..partner("veilig-thuis", 2, 9, Prefix::Column) },
    partner("wijkteam", 2, 9, Prefix::Column),
];

/// A family as one partner knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// Place in [`PARTNERS`].
    pub(crate) partner: usize,
    pub(crate) family: usize,
    pub(crate) reference: String,
}

/// A person as one partner writes it down.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Place in [`Benchmark::cases`].
    pub(crate) case: usize,
    pub(crate) person: usize,
    pub(crate) errors: Vec<Kind>,
    /// Before the partner's style: what plain-text peers see.
    pub(crate) known: Known,
    /// As it stands in the partner's file.
    pub(crate) raw: RawPerson,
}

/// Families, and each partner's view of them.
pub(crate) struct Benchmark {
    pub(crate) world: World,
    pub(crate) cases: Vec<Case>,
    pub(crate) records: Vec<Record>,
}

impl Benchmark {
    /// Always the same for the same arguments. `noise` is the share of records with errors.
    pub(crate) fn new(seed: u64, families: usize, noise: f64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let world = World::new(&mut rng, families);
        let mut benchmark = Self { world, cases: Vec::new(), records: Vec::new() };
        let mut numbers = [0; PARTNERS.len()];
        for family in 0..benchmark.world.families.len() {
            let count =
                PARTNERS_OF_A_FAMILY.choose_weighted(&mut rng, |(_, weight)| *weight).expect("weights").0;
            for partner in rand::seq::index::sample(&mut rng, PARTNERS.len(), count) {
                numbers[partner] += 1;
                let reference = format!("{}-{:05}", PARTNERS[partner].name, numbers[partner]);
                benchmark.add_case(&mut rng, noise, Case { partner, family, reference });
            }
        }
        benchmark
    }

    fn add_case(&mut self, rng: &mut StdRng, noise: f64, case: Case) {
        let partner = &PARTNERS[case.partner];
        for person in known_to(rng, partner, &self.world.families[case.family]) {
            let (known, errors, raw) =
                write(rng, noise, partner, &self.world.persons[person], &self.world.families[case.family]);
            self.records.push(Record { case: self.cases.len(), person, errors, known, raw });
        }
        self.cases.push(case);
    }

    /// Of which person's family a record is.
    pub(crate) fn person(&self, record: usize) -> &Person {
        &self.world.persons[self.records[record].person]
    }
}

/// At least one person.
fn known_to(rng: &mut StdRng, partner: &Partner, family: &Family) -> Vec<usize> {
    let mut some = |of: &[usize], most: usize| -> Vec<usize> {
        of.choose_multiple(rng, most.min(of.len())).copied().collect()
    };
    let (parents, children) =
        (some(&family.parents, partner.parents), some(&family.children, partner.children));
    let all = [parents, children].concat();
    if partner.one { all.choose(rng).into_iter().copied().collect() } else { all }
}

/// One record: its errors, then the partner's style.
pub(crate) fn write(
    rng: &mut StdRng,
    noise: f64,
    partner: &Partner,
    person: &Person,
    family: &Family,
) -> (Known, Vec<Kind>, RawPerson) {
    let mut known = Known::of(rng, person, family);
    let errors = errors::make(rng, noise, &mut known, person, family);
    let raw = styled(partner, person, &known);
    (known, errors, raw)
}

fn styled(partner: &Partner, person: &Person, known: &Known) -> RawPerson {
    let (prefix, family) = match partner.prefix {
        Prefix::Column => (known.prefix.clone(), known.family.clone()),
        Prefix::Before => (String::new(), format!("{} {}", known.prefix, known.family).trim().to_owned()),
        Prefix::Behind if known.prefix.is_empty() => (String::new(), known.family.clone()),
        Prefix::Behind => (String::new(), format!("{}, {}", known.family, known.prefix)),
        Prefix::Short => {
            (known.prefix.replace("van der", "v.d.").replace("van den", "v.d."), known.family.clone())
        }
    };
    let given = match known.given.split_once(' ') {
        Some((first, _)) if partner.first_name_only && known.prefix != first => first.to_owned(),
        _ => known.given.clone(),
    };
    let written = |text: String| if partner.capitals { plain(&text).to_uppercase() } else { text };
    let address = known.address.as_ref();
    RawPerson {
        role: if person.place == Place::Parent { "parent" } else { "child" }.to_owned(),
        bsn: String::new(),
        given_names: written(given),
        name_prefix: written(prefix),
        family_name: written(family),
        birth_date: known.born.map_or_else(String::new, |(year, month, day)| {
            if partner.dutch_dates {
                format!("{day:02}-{month:02}-{year}")
            } else {
                format!("{year}-{month:02}-{day:02}")
            }
        }),
        postal_code: address.map_or_else(String::new, |at| at.postal_code.clone()),
        house_number: address.map_or_else(String::new, |at| at.house_number.to_string()),
        house_number_suffix: address.map_or_else(String::new, |at| at.suffix.clone()),
    }
}

#[cfg(test)]
mod tests {
    use kring_protocol::crypto::sha256;
    use kring_protocol::identifier::Person as Parsed;
    use kring_protocol::time::Day;

    use super::super::date::TODAY;
    use super::super::exchange;
    use super::*;

    /// A change here is another benchmark: its figures cannot be compared with older ones.
    #[test]
    fn a_seed_gives_the_same_families_for_ever() {
        let benchmark = Benchmark::new(1, 300, 0.4);
        let files: String = exchange::files(&benchmark).into_iter().map(|(_, csv)| csv).collect();
        assert_eq!(hex::encode(&sha256(files.as_bytes())[..8]), "1a1a8f92a57958a1");
        let other = Benchmark::new(2, 300, 0.4);
        assert!(exchange::files(&other).into_iter().map(|(_, csv)| csv).collect::<String>() != files);
    }

    #[test]
    fn every_record_is_one_that_a_node_accepts() {
        let benchmark = Benchmark::new(5, 1_000, 1.0);
        for record in &benchmark.records {
            let parsed = Parsed::parse(&record.raw, Day::from_days(TODAY as u32));
            assert!(parsed.is_ok(), "{:?} {:?} {:?}", parsed, record.errors, record.known);
        }
    }

    #[test]
    fn every_case_has_a_person_and_every_family_a_partner() {
        let benchmark = Benchmark::new(1, 500, 0.4);
        for (place, case) in benchmark.cases.iter().enumerate() {
            let persons: Vec<_> = benchmark.records.iter().filter(|record| record.case == place).collect();
            assert!(!persons.is_empty());
            assert!(persons.iter().all(|one| benchmark.world.persons[one.person].family == case.family));
        }
        let families: std::collections::BTreeSet<_> =
            benchmark.cases.iter().map(|case| case.family).collect();
        assert_eq!(families.len(), benchmark.world.families.len());
    }
}
