//! Files that people send each other: the covenant's draft, signatures, and the signed covenant.
//!
//! Each has a version and is refused when it is of another.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use kring_node::founding::check_version;
use kring_protocol::codec;
use kring_protocol::covenant::{Annex, Covenant, MemberSignature, Pepper, SignedCovenant};
use kring_protocol::id::CovenantHash;
use kring_protocol::secret::Secret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::output::Failure;

/// The version of every file here.
const VERSION: u32 = 1;

/// `covenant.toml`: a covenant that can still be edited, with the annex that only members may see.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) covenant: Covenant,
    pub(crate) annex: Annex,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftFile {
    version: u32,
    annex: AnnexFile,
    covenant: Covenant,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnnexFile {
    pepper: Pepper,
}

impl Draft {
    /// Reads a draft. The annex must be the one that the text names.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let file: DraftFile = read_toml(path, "a draft covenant")?;
        let annex = Annex { pepper: Secret::new(*file.annex.pepper.as_bytes()) };
        if annex.hash() != file.covenant.annex {
            return Err(wrong(
                path,
                "its pepper is not the one that `covenant.annex` names; ask the coordinator for a fresh copy",
            ));
        }
        Ok(Self { covenant: file.covenant, annex })
    }

    /// Writes a new draft with `notes`, each of which becomes a comment.
    pub(crate) fn write_new(&self, path: &Path, notes: &[String]) -> Result<(), Failure> {
        let annex = AnnexFile { pepper: Pepper::from_bytes(*self.annex.pepper.expose()) };
        let file = DraftFile { version: VERSION, annex, covenant: self.covenant.clone() };
        let comments: String = notes.iter().map(|note| format!("# {note}\n")).collect();
        let text = format!("{comments}{}", to_toml(&file));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(
            |problem| match problem.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    wrong(path, "exists already; move it away or choose another --out")
                }
                _ => wrong(path, &problem.to_string()),
            },
        )?;
        file.write_all(text.as_bytes()).map_err(|problem| wrong(path, &problem.to_string()))
    }
}

/// `signature.toml`: one member's signature, with the covenant it is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignatureFile {
    version: u32,
    /// What was signed.
    pub(crate) covenant: CovenantHash,
    /// By whom.
    #[serde(rename = "signed")]
    pub(crate) signature: MemberSignature,
}

impl SignatureFile {
    pub(crate) const fn new(covenant: CovenantHash, signature: MemberSignature) -> Self {
        Self { version: VERSION, covenant, signature }
    }

    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        read_toml(path, "a signature")
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        write_private(path, to_toml(self).as_bytes())
    }
}

/// Reads `covenant.kring`; says nothing yet of its being right.
pub(crate) fn read_signed(path: &Path) -> Result<SignedCovenant, Failure> {
    let bytes = read(path)?;
    codec::decode(&bytes)
        .map_err(|problem| wrong(path, &format!("not a signed covenant this software can read: {problem}; update Kring or ask for a fresh copy")))
}

/// Writes `covenant.kring`: for its owner's eyes, because the members' copy holds the annex.
pub(crate) fn write_signed(path: &Path, covenant: &SignedCovenant) -> Result<(), Failure> {
    write_private(path, &codec::encode(covenant))
}

/// Whether the file's content is text: a draft and not a signed covenant.
pub(crate) fn is_text(path: &Path) -> Result<bool, Failure> {
    // A signed covenant starts with its version byte, which no text does.
    Ok(read(path)?.first().is_none_or(|byte| *byte >= b'\t'))
}

/// Replaces a file in one step and keeps it from others' eyes.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let write = || {
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(|problem: std::io::Error| wrong(path, &problem.to_string()))
}

/// Reads a whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|problem| wrong(path, &problem.to_string()))
}

fn read_toml<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, Failure> {
    let text = fs::read_to_string(path).map_err(|problem| wrong(path, &problem.to_string()))?;
    check_version(&text).map_err(|problem| wrong(path, &problem))?;
    toml::from_str(&text).map_err(|problem| wrong(path, &format!("not {what}: {}", problem.message())))
}

fn to_toml(value: &impl Serialize) -> String {
    toml::to_string(value).expect("plain data with text keys always writes as TOML")
}

fn wrong(path: &Path, problem: &str) -> Failure {
    Failure::Work(format!("{}: {problem}", path.display()))
}
