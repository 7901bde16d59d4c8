//! Founding the demonstration's network: the steps of a real founding, one after the other, by the same functions that
//! `kring init` and `kring covenant` run. The key ceremony that follows is the nodes' own.

use std::fs;
use std::path::{Path, PathBuf};

use kring_node::clock::Clock;
use kring_node::config::listen_addresses;
use kring_node::founding::{self, Founder, Ports, file};
use kring_protocol::covenant::Tempo;
use rand::rngs::OsRng;

use super::caseload::Partner;
use crate::command::covenant::{Choices, assemble, draft, sign};
use crate::file::{Draft, SignatureFile, write_signed};
use crate::output::Failure;

/// Persons that a partner declares beyond those in its caseload, so that signals can be added by hand.
const PERSONS_TO_SPARE: u32 = 100;
/// What the demonstration's signals are for.
const PURPOSE: &str = "jeugd";
const PURPOSE_TITLE: &str = "Samen rond het gezin";
/// Invented, as everything here.
const LEGAL_GROUND: &str = "voorbeeld: taak van algemeen belang";

/// Founds every partner's node in its own folder of `dir` and returns the folders, in the partners' order.
/// `recipes` are the purpose's: a list's name or ids, or none for the default.
pub(super) fn found(
    dir: &Path,
    partners: &[Partner],
    ports: &[Ports],
    recipes: &[String],
) -> Result<Vec<PathBuf>, Failure> {
    let dirs: Vec<_> = partners.iter().map(|partner| dir.join(&partner.id)).collect();
    for (index, partner) in partners.iter().enumerate() {
        let founder = founder(index, partner, ports[index]);
        founding::create(&dirs[index], &founder, Clock.now())?;
        without_second_factor(&dirs[index])?;
    }
    // The first partner is the covenant's coordinator.
    let draft_file = dirs[0].join("covenant.toml");
    let cards =
        dirs.iter().map(|dir| founding::read_card(&dir.join(file::MEMBER))).collect::<Result<Vec<_>, _>>()?;
    let choices = Choices {
        title: "Kring demonstration".to_owned(),
        holders: Vec::new(),
        matchers: Vec::new(),
        trace_keys: Vec::new(),
        purposes: vec![PURPOSE.parse()?],
        tempo: Tempo::Immediate,
        no_bsn: partners.iter().filter(|one| !one.may_use_bsn).map(|one| one.member.clone()).collect(),
        recipes: recipes.to_vec(),
    };
    let mut agreed = draft(cards, choices, Clock.now().day(), &mut OsRng)?;
    for purpose in &mut agreed.covenant.purposes {
        PURPOSE_TITLE.clone_into(&mut purpose.title);
        LEGAL_GROUND.clone_into(&mut purpose.legal_ground);
    }
    agreed.write_new(&draft_file, &[])?;
    let mut signatures = Vec::new();
    for dir in &dirs {
        let path = dir.join("signature.toml");
        sign(dir, &Draft::read(&draft_file)?, [])?.write(&path)?;
        signatures.push(SignatureFile::read(&path)?);
    }
    let covenant = assemble(&Draft::read(&draft_file)?, signatures)?;
    for dir in &dirs {
        write_signed(&dir.join(file::COVENANT), &covenant)?;
    }
    Ok(dirs)
}

/// So that one person can play everybody; only a covenant for tests permits it.
fn without_second_factor(dir: &Path) -> Result<(), Failure> {
    let path = dir.join(file::CONFIG);
    let mut text = fs::read_to_string(&path)?;
    text.push_str("second_factor = \"off\"\n");
    Ok(fs::write(&path, text)?)
}

fn founder(index: usize, partner: &Partner, ports: Ports) -> Founder {
    let persons = partner.caseload.as_ref().map_or(0, super::caseload::Caseload::persons);
    Founder {
        member: partner.member.clone(),
        name: partner.name.clone(),
        kind: partner.kind,
        // Fictitious: no register gives out this range.
        oin: format!("{:020}", 99_900_000 + index).parse().expect("twenty digits"),
        controller: partner.member.clone().into(),
        operator: partner.member.clone().into(),
        persons: persons.saturating_add(PERSONS_TO_SPARE),
        addresses: listen_addresses("127.0.0.1", ports.members).to_vec(),
        ports,
    }
}

/// Refuses a directory in which one of the partners was founded already.
pub(super) fn check_fresh(dir: &Path, partners: &[Partner]) -> Result<(), Failure> {
    let old =
        partners.iter().map(|partner| dir.join(&partner.id)).find(|dir| dir.join(file::CONFIG).exists());
    match old {
        Some(old) => Err(Failure::Usage(format!(
            "{} holds a node of an earlier demonstration; choose another --dir or remove this one",
            old.display()
        ))),
        None => {
            fs::create_dir_all(dir).map_err(|problem| Failure::Work(format!("{}: {problem}", dir.display())))
        }
    }
}

#[cfg(test)]
mod tests {
    use kring_protocol::covenant::check;

    use super::*;
    use crate::demo::{Place, caseload, ports};
    use crate::file::read_signed;

    #[test]
    fn a_network_is_founded_as_in_real_life() {
        for count in [3, 6, 12] {
            let place = Place::temporary().unwrap();
            let partners = caseload::complete(Vec::new(), Some(count)).unwrap();
            let reserved = ports::reserve(partners.len(), None).unwrap();
            let ports: Vec<_> = reserved.iter().map(|reserved| reserved.ports).collect();
            check_fresh(place.path(), &partners).unwrap();
            let dirs = found(place.path(), &partners, &ports, &[]).unwrap();
            let covenants: Vec<_> = dirs
                .iter()
                .map(|dir| read_signed(&dir.join(file::COVENANT)).unwrap().verify().unwrap())
                .collect();
            let covenant = &covenants[0];
            assert!(covenants.iter().all(|other| other.hash() == covenant.hash()));
            assert!(covenant.annex().is_ok(), "every node has the members' copy");
            assert_eq!(covenant.tempo, Tempo::Immediate);
            assert_eq!(covenant.key_holders.len(), usize::from(count.min(6)));
            assert_eq!(covenant.matchers.len(), usize::from(count.min(4)));
            assert_eq!(covenant.matchers.last(), Some(&partners.last().unwrap().member));
            let errors =
                check::findings(covenant).into_iter().find(|one| one.severity == check::Severity::Error);
            assert_eq!(errors, None);
            assert!(matches!(check_fresh(place.path(), &partners), Err(Failure::Usage(_))));
        }
    }
}
