//! What `kring demo --json` prints, and the truth that it is compared with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A partner's id and its case.
pub type CaseAt = (String, String);
/// Two cases of one family, sorted.
pub type Pair = (CaseAt, CaseAt);

/// A pair of `(partner, case)`.
#[must_use]
pub fn pair(one: (&str, &str), other: (&str, &str)) -> Pair {
    let owned = |(partner, case): (&str, &str)| (partner.to_owned(), case.to_owned());
    let (one, other) = (owned(one), owned(other));
    if one < other { (one, other) } else { (other, one) }
}

/// The report of a demonstration.
#[derive(Clone, Debug)]
pub struct Report(pub Value);

impl Report {
    /// All matches as pairs of cases.
    ///
    /// # Panics
    /// When a match does not have two sides that name each other.
    #[must_use]
    pub fn pairs(&self) -> BTreeSet<Pair> {
        let mut sides: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for row in self.rows() {
            sides.entry(text(row, "match_id")).or_default().push(row);
        }
        let pairs: Vec<_> = sides.values().map(|rows| both_sides(rows)).collect();
        let distinct: BTreeSet<_> = pairs.iter().cloned().collect();
        assert_eq!(distinct.len(), pairs.len(), "two matches for one pair of cases");
        distinct
    }

    /// The recipes by which a pair was found, as one side tells it.
    ///
    /// # Panics
    /// When that side has no such match.
    #[must_use]
    pub fn basis(&self, partner: &str, case: &str, other: &str) -> BTreeSet<String> {
        let row = self.rows().iter().find(|row| {
            (text(row, "partner"), text(row, "case"), text(row, "other_partner")) == (partner, case, other)
        });
        let basis = row.expect("there is such a match")["basis"].as_array().cloned().unwrap_or_default();
        basis.iter().filter_map(|recipe| recipe.as_str().map(str::to_owned)).collect()
    }

    /// Cases that a partner's node took in.
    ///
    /// # Panics
    /// When there is no such partner.
    #[must_use]
    pub fn cases(&self, partner: &str) -> u64 {
        let partners = self.0["partners"].as_array().cloned().unwrap_or_default();
        let row = partners.iter().find(|row| row["id"] == partner).expect("the partner took part");
        row["cases"].as_u64().expect("a number of cases")
    }

    fn rows(&self) -> &[Value] {
        self.0["matches"].as_array().expect("the report has matches")
    }
}

fn both_sides(rows: &[&Value]) -> Pair {
    let [one, other] = rows else { panic!("a match with {} sides: {rows:?}", rows.len()) };
    assert_eq!(one["other_partner"], other["partner"], "both sides name each other: {rows:?}");
    assert_eq!(other["other_partner"], one["partner"], "both sides name each other: {rows:?}");
    assert_eq!(one["basis"], other["basis"], "both sides say by which recipes: {rows:?}");
    pair((text(one, "partner"), text(one, "case")), (text(other, "partner"), text(other, "case")))
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("{key} is not a text: {row}"))
}
