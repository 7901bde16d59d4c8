//! Who takes part in the demonstration, and what each brings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kring_node::founding::slug;
use kring_protocol::covenant::Kind;
use kring_protocol::id::MemberId;

use super::builtin::{self, BuiltIn, PartnerFile, Truth};
use crate::output::Failure;

/// Partners that fill all roles; fewer are completed to this number.
const PARTNERS: usize = 6;
/// Caseload files that one demonstration takes.
const FILES: std::ops::RangeInclusive<usize> = 2..=12;

/// One partner of the demonstration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Partner {
    /// What reports and its folder call it: the stem of its file, unchanged.
    pub(crate) id: String,
    /// Its id in the network: the slug of `id`.
    pub(crate) member: MemberId,
    /// Its name as people write it.
    pub(crate) name: String,
    /// Its kind.
    pub(crate) kind: Kind,
    /// Whether it may use the BSN.
    pub(crate) may_use_bsn: bool,
    /// What it brings, if anything.
    pub(crate) caseload: Option<Caseload>,
}

/// A caseload as it goes to the node.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Caseload {
    /// What messages about lines call it.
    pub(crate) file: PathBuf,
    /// CSV.
    pub(crate) bytes: Vec<u8>,
}

impl std::fmt::Debug for Caseload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Caseload({} bytes)", self.bytes.len())
    }
}

impl Caseload {
    /// At least the number of persons in it.
    pub(crate) fn persons(&self) -> u32 {
        let lines = self.bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
        u32::try_from(lines).unwrap_or(u32::MAX)
    }
}

/// The partners of the built-in caseload, the first `wanted` of them, and what is true among them.
pub(super) fn built_in(wanted: Option<u8>) -> (Vec<Partner>, Truth) {
    let BuiltIn { partners, truth } = builtin::caseload().first(wanted.map_or(PARTNERS, usize::from));
    let partner = |file: PartnerFile| {
        let (kind, may_use_bsn) = match file.stem {
            "ggz" => (Kind::MentalHealthCare, false),
            "jeugdbescherming" => (Kind::YouthProtection, true),
            "politie" => (Kind::Police, false),
            "school" => (Kind::School, false),
            "veilig-thuis" => (Kind::VeiligThuis, true),
            _ => (Kind::LocalTeam, true),
        };
        Partner {
            id: file.stem.to_owned(),
            member: slug(file.stem).expect("the built-in names have letters"),
            name: file.name.to_owned(),
            kind,
            may_use_bsn,
            caseload: Some(Caseload {
                file: format!("{}.csv", file.stem).into(),
                bytes: file.csv.into_bytes(),
            }),
        }
    };
    (partners.into_iter().map(partner).collect(), truth)
}

/// Reads the caseloads in `dir`: every `NAME.csv`, in the order of their names.
pub(super) fn read_dir(dir: &Path) -> Result<Vec<Partner>, Failure> {
    let unreadable =
        |path: &Path, problem: &std::io::Error| Failure::Work(format!("{}: {problem}", path.display()));
    let entries = std::fs::read_dir(dir).map_err(|problem| unreadable(dir, &problem))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|problem| unreadable(dir, &problem))?.path();
        if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"))
            && path.is_file()
            && !is_hidden(&path)
        {
            files.push(path);
        }
    }
    files.sort();
    if !FILES.contains(&files.len()) {
        return Err(Failure::Usage(format!(
            "{} holds {} files NAME.csv; the demonstration takes 2 to 12",
            dir.display(),
            files.len()
        )));
    }
    let partners = files.iter().map(|path| {
        let bytes = std::fs::read(path).map_err(|problem| unreadable(path, &problem))?;
        partner(path, bytes)
    });
    let partners = partners.collect::<Result<Vec<_>, _>>()?;
    distinct(&partners)?;
    Ok(partners)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn partner(path: &Path, bytes: Vec<u8>) -> Result<Partner, Failure> {
    let rename = |problem: &str| Failure::Usage(format!("{}: {problem}; rename the file", path.display()));
    let id =
        path.file_stem().and_then(|stem| stem.to_str()).ok_or_else(|| rename("its name is not UTF-8"))?;
    let member =
        slug(id).ok_or_else(|| rename("its name has no letter or digit to make a partner's id of"))?;
    let caseload = Some(Caseload { file: path.to_owned(), bytes });
    Ok(Partner {
        id: id.to_owned(),
        name: id.to_owned(),
        kind: Kind::Other,
        may_use_bsn: true,
        member,
        caseload,
    })
}

fn distinct(partners: &[Partner]) -> Result<(), Failure> {
    let mut seen = BTreeMap::new();
    for partner in partners {
        if let Some(other) = seen.insert(&partner.member, &partner.id) {
            return Err(Failure::Usage(format!(
                "{other}.csv and {}.csv both make the id {} in the network; rename one",
                partner.id, partner.member
            )));
        }
    }
    Ok(())
}

/// Adds partners without cases: up to `wanted`, or up to as many as fill all roles.
pub(super) fn complete(mut partners: Vec<Partner>, wanted: Option<u8>) -> Result<Vec<Partner>, Failure> {
    let count = wanted.map_or(PARTNERS.max(partners.len()), usize::from);
    if count < partners.len() {
        return Err(Failure::Usage(format!(
            "--partners {count} is fewer than the {} partners that bring a caseload",
            partners.len()
        )));
    }
    let mut number = partners.len();
    while partners.len() < count {
        number += 1;
        let id = format!("partner-{number}");
        let member: MemberId = slug(&id).expect("the name has letters");
        if partners.iter().all(|partner| partner.member != member) {
            let name = format!("Partner {number}");
            partners.push(Partner { id, member, name, kind: Kind::Other, may_use_bsn: true, caseload: None });
        }
    }
    Ok(partners)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Place;

    fn directory(files: &[&str]) -> Place {
        let place = Place::temporary().unwrap();
        for file in files {
            std::fs::write(place.path().join(file), "case,person\n1,2\n").unwrap();
        }
        place
    }

    fn ids(partners: &[Partner]) -> Vec<(&str, &str)> {
        partners.iter().map(|partner| (partner.id.as_str(), partner.member.as_str())).collect()
    }

    #[test]
    fn stems_name_partners_unchanged() {
        let place = directory(&["Wijkteam Zuid.csv", "École_2.CSV", "notes.txt", ".hidden.csv"]);
        let partners = read_dir(place.path()).unwrap();
        assert_eq!(ids(&partners), [("Wijkteam Zuid", "wijkteam-zuid"), ("École_2", "ecole-2")]);
        assert_eq!(partners[0].caseload.as_ref().unwrap().persons(), 2);
    }

    #[test]
    fn the_built_in_partners_come_with_their_truth() {
        let (partners, truth) = built_in(None);
        assert_eq!(partners.len(), 6);
        assert!(partners.iter().all(|partner| partner.id == partner.member.as_str()));
        assert_eq!(partners.iter().filter(|partner| partner.kind == Kind::LocalTeam).count(), 1);
        let (fewer, less) = built_in(Some(3));
        assert_eq!(fewer, partners[..3]);
        assert!(less.len() < truth.len());
        assert_eq!(built_in(Some(12)), (partners, truth));
    }

    #[test]
    fn equal_slugs_and_wrong_numbers_are_refused() {
        let refusal = |files: &[&str]| match read_dir(directory(files).path()) {
            Err(Failure::Usage(message)) => message,
            other => panic!("{other:?}"),
        };
        let message = refusal(&["a b.csv", "a-b.csv"]);
        assert!(message.contains("a b.csv and a-b.csv both make the id a-b"), "{message}");
        assert!(refusal(&["a.csv"]).contains("holds 1 files"));
        let many: Vec<_> = (0..13).map(|n| format!("p{n}.csv")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert!(refusal(&many).contains("holds 13 files"));
        assert_eq!(read_dir(directory(&many[..12]).path()).unwrap().len(), 12);
        assert!(refusal(&["a.csv", "--.csv"]).contains("no letter or digit"));
        assert!(matches!(read_dir(Path::new("/nowhere")), Err(Failure::Work(_))));
    }

    #[test]
    fn partners_without_cases_complete_the_network() {
        let place = directory(&["a.csv", "Partner 4.csv"]);
        let partners = complete(read_dir(place.path()).unwrap(), None).unwrap();
        let members: Vec<_> = partners.iter().map(|partner| partner.member.as_str()).collect();
        assert_eq!(members, ["partner-4", "a", "partner-3", "partner-5", "partner-6", "partner-7"]);
        assert!(partners[2..].iter().all(|partner| partner.caseload.is_none()));
        assert_eq!(complete(partners[..2].to_vec(), Some(3)).unwrap().len(), 3);
        assert_eq!(complete(partners[..2].to_vec(), Some(12)).unwrap().len(), 12);
        assert!(matches!(complete(partners, Some(5)), Err(Failure::Usage(_))));
    }
}
