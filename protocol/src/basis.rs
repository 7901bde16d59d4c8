//! On what a match rests, field by field: what agrees, and what does not or is not known to the other side
//! (`docs/protocol.md` section 6.4).
//!
//! Nothing but the recipes goes in: those by which keys met, and those by which the own person has a key. So nothing comes
//! out about the other side's values that the meeting did not show. Not here: words for people.

use std::collections::BTreeSet;

use crate::recipe::Compared::{
    self, BirthDate, BirthYear, Bsn, FamilyName, GivenName, HouseNumber, Initial, NameStarts, PostalCode,
    PostalCodeNearly,
};
use crate::recipe::Recipe;

/// What two persons who met are known to share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// Agrees: the most that is known, so never a field and a part of it.
    pub same: BTreeSet<Compared>,
    /// Does not agree, or the other side does not have it: all else of some recipe agrees, and its keys did not meet.
    /// Whole fields only.
    pub different: BTreeSet<Compared>,
    /// Not known to agree, without being alone in that: perhaps different, perhaps unknown. Whole fields only.
    pub open: BTreeSet<Compared>,
}

impl Basis {
    /// From the recipes by which a person met, and those by which it has a key that could have met.
    #[must_use]
    pub fn new(met: &BTreeSet<Recipe>, live: &BTreeSet<Recipe>) -> Self {
        let agreed: BTreeSet<Compared> = met.iter().flat_map(|recipe| recipe.fields()).collect();
        let touched = whole_fields(&agreed);
        let missed: Vec<_> = live.difference(met).map(|recipe| recipe.fields()).collect();
        let mut basis = Self { same: strongest(&agreed), ..Self::default() };
        let missed_fields: BTreeSet<_> = missed.iter().flat_map(whole_fields).collect();
        for field in missed_fields.difference(&touched).copied() {
            let alone = |recipe: &BTreeSet<Compared>| {
                let mut about = recipe.iter().copied().filter(|compared| whole(*compared).contains(&field));
                let mut rest = recipe.iter().copied().filter(|compared| !whole(*compared).contains(&field));
                recipe.iter().any(|compared| whole(*compared) == [field])
                    && about.all(|compared| whole(compared) == [field])
                    && rest.all(|compared| follows(compared, &agreed))
            };
            let known = missed.iter().any(alone);
            if known {
                basis.different.insert(field)
            } else {
                basis.open.insert(field)
            };
        }
        basis
    }
}

/// The whole fields that something compared is about; none for an initial, which may be either name's.
const fn whole(compared: Compared) -> &'static [Compared] {
    match compared {
        Bsn => &[Bsn],
        GivenName => &[GivenName],
        FamilyName => &[FamilyName],
        NameStarts => &[GivenName, FamilyName],
        Initial => &[],
        BirthDate | BirthYear => &[BirthDate],
        PostalCode | PostalCodeNearly => &[PostalCode],
        HouseNumber => &[HouseNumber],
    }
}

fn whole_fields(compared: &BTreeSet<Compared>) -> BTreeSet<Compared> {
    compared.iter().flat_map(|compared| whole(*compared)).copied().collect()
}

/// Whether something agrees because other things do.
fn follows(compared: Compared, agreed: &BTreeSet<Compared>) -> bool {
    let has = |other: Compared| agreed.contains(&other);
    has(compared)
        || match compared {
            BirthYear => has(BirthDate),
            PostalCodeNearly => has(PostalCode),
            NameStarts => has(GivenName) && has(FamilyName),
            Initial => has(GivenName) || has(FamilyName) || has(NameStarts),
            Bsn | GivenName | FamilyName | BirthDate | PostalCode | HouseNumber => false,
        }
}

/// Without what follows from the rest.
fn strongest(agreed: &BTreeSet<Compared>) -> BTreeSet<Compared> {
    let without = |compared: &Compared| agreed.iter().copied().filter(|other| other != compared).collect();
    agreed.iter().copied().filter(|compared| !follows(*compared, &without(compared))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::RecipeList;

    fn basis(met: &[Recipe], live: &str) -> (Vec<Compared>, Vec<Compared>, Vec<Compared>) {
        let live = RecipeList::named(live).unwrap().recipes().iter().copied().collect();
        let Basis { same, different, open } = Basis::new(&met.iter().copied().collect(), &live);
        let list = |fields: BTreeSet<Compared>| fields.into_iter().collect();
        (list(same), list(different), list(open))
    }

    #[test]
    fn what_agrees_is_the_union_of_what_met() {
        use Recipe::{BirthFamily, BirthHouse, BirthPostcodeNear, BirthStarts, GivenAddress, NamesPostcode};
        let all = [BirthPostcodeNear, BirthFamily, BirthStarts, BirthHouse, NamesPostcode, GivenAddress];
        let (same, different, open) = basis(&all, "default");
        assert_eq!(
            same,
            [GivenName, FamilyName, BirthDate, PostalCode, HouseNumber],
            "no parts beside the whole"
        );
        assert_eq!((different, open), (vec![Bsn], vec![]), "the BSN stands alone in its recipe");
    }

    #[test]
    fn another_address_is_different_or_unknown() {
        let met = [Recipe::NamesBirth, Recipe::BirthStarts];
        let (same, different, open) = basis(&met, "precise");
        assert_eq!(same, [GivenName, FamilyName, BirthDate]);
        assert_eq!(different, [Bsn, PostalCode, HouseNumber]);
        assert_eq!(open, []);
        let (same, different, _) = basis(&[Recipe::BirthFamily, Recipe::BirthStarts], "default");
        assert_eq!(same, [FamilyName, NameStarts, BirthDate], "the given name is not known to be the same");
        assert_eq!(different, [Bsn, PostalCode, HouseNumber]);
    }

    #[test]
    fn nothing_is_called_different_that_may_be_the_same() {
        let (same, different, open) = basis(&[Recipe::Bsn], "default");
        assert_eq!((same, different), (vec![Bsn], vec![]));
        assert_eq!(open, [GivenName, FamilyName, BirthDate, PostalCode, HouseNumber]);
        let (same, different, open) = basis(&[Recipe::GivenYearAddress], "strict");
        assert_eq!(same, [GivenName, BirthYear, PostalCode, HouseNumber]);
        assert_eq!(different, [Bsn, FamilyName], "by given name, year and postal code with the surname");
        assert_eq!(open, [], "of the birth date the year agrees");
        let (same, _, _) = basis(&[Recipe::BirthPostcodeNear], "default");
        assert_eq!(same, [BirthDate, PostalCodeNearly]);
    }

    #[test]
    fn what_nobody_left_is_not_spoken_of() {
        let met = BTreeSet::from([Recipe::NamesBirth]);
        let basis = Basis::new(&met, &met);
        assert!(basis.different.is_empty() && basis.open.is_empty());
    }

    #[test]
    fn every_recipe_compares_something() {
        for recipe in Recipe::ALL {
            assert!(!recipe.fields().is_empty(), "{recipe}");
        }
    }
}
