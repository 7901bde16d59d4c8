//! What can be said of a line, without a value of it: as the API and commands say it. Pages have their own words
//! (`crate::pages`).

use kring_protocol::identifier::Problem;

use super::REFERENCE_MAX_CHARS;

/// Why a line is wrong, or what to know of a good one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// A field that must not be empty.
    #[error("is empty")]
    Empty,
    /// A reference or a person's number.
    #[error("is longer than {REFERENCE_MAX_CHARS} characters")]
    LongReference,
    /// What is wrong with a person's field.
    #[error(transparent)]
    Field(#[from] Problem),
    /// The same person or BSN, on this line of the same case.
    #[error("is in this case already, on line {0}")]
    Again(u64),
    /// More than one record holds.
    #[error("this case has too many persons; divide it into several cases")]
    ManyPersons,
    /// A cell does not end.
    #[error("has a quotation mark that is not closed")]
    OpenQuote,
    /// Too many or too few.
    #[error("has {cells} cells where the header has {header}")]
    Cells {
        /// Of the line.
        cells: usize,
        /// Of the header.
        header: usize,
    },
    /// A name such as "unknown".
    #[error("is a placeholder and counts as no name")]
    NoName,
    /// No given name in full.
    #[error("has only initials: others recognise this person less often")]
    Initials,
    /// Nobody is that old.
    #[error("lies more than 110 years ago and is probably a placeholder")]
    LongAgo,
    /// A day that stands for many.
    #[error(
        "is 1 January or 1 July, which often stands for an unknown day: it counts only together with an address"
    )]
    ConventionalDay,
    /// Of an address.
    #[error("is probably a placeholder; leave it empty if it is not known")]
    Placeholder,
    /// What is missing.
    #[error("cannot be recognised by any recipe and will meet nobody; missing: {}", missing(.0))]
    Unrecognisable(Vec<Missing>),
    /// One address, so many cases.
    #[error(
        "and house number are those of {0} cases in this file, perhaps of an institution: that confuses nobody, \
         but the address helps little to recognise anyone there"
    )]
    ManyCases(usize),
}

/// What a person lacks who cannot be recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Citizen service number.
    #[error("BSN")]
    Bsn,
    /// With day and month.
    #[error("full birth date")]
    BirthDate,
    /// Not only initials.
    #[error("given name")]
    GivenName,
    /// Family name.
    #[error("surname")]
    Surname,
    /// Of the address.
    #[error("postal code")]
    PostalCode,
    /// Of the address.
    #[error("house number")]
    HouseNumber,
}

fn missing(missing: &[Missing]) -> String {
    missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
