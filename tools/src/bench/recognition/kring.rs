//! Match keys of records, as a node makes them.

use kring_protocol::identifier::{Person, RawPerson};
use kring_protocol::recipe::{MatchKey, RecipeList, match_keys};
use kring_protocol::time::Day;

use super::date;

/// The day on which all records are read.
pub(crate) const TODAY: Day = Day::from_days(date::TODAY as u32);

/// Each record's match keys; none for one that a node refuses.
pub(crate) fn keys_of(records: &[&RawPerson], recipes: &RecipeList) -> Vec<Vec<MatchKey>> {
    let keys = |raw: &&RawPerson| {
        Person::parse(raw, TODAY).map(|person| match_keys(&person, recipes)).unwrap_or_default()
    };
    records.iter().map(keys).collect()
}
