//! On what a match rests, field by field: what agrees, and what does not or is not known to the other side
//! (`docs/protocol.md` section 6.4).
//!
//! Nothing but the recipes goes in: those by which keys met, and those by which the own person has a key. So nothing comes
//! out about the other side's values that the meeting did not show. Not here: words for people.

use std::collections::BTreeSet;

use crate::recipe::Compared::{
    self, AnyNameStart, BirthDate, BirthDateUnordered, Bsn, FamilyName, Generation, GivenName, HouseNumber,
    Initial, NameStarts, PostalCode, PostalCodeNearly,
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

/// Most first letters that a recipe takes of a name.
const LETTERS_MAX: u8 = 4;

/// The whole fields that something compared is about; none where it may be either name's.
const fn whole(compared: Compared) -> &'static [Compared] {
    match compared {
        Bsn => &[Bsn],
        GivenName => &[GivenName],
        FamilyName => &[FamilyName],
        NameStarts(_) => &[GivenName, FamilyName],
        AnyNameStart(_) => &[],
        Initial => &[GivenName],
        BirthDate | BirthDateUnordered | Generation => &[BirthDate],
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
    let starts = |least: u8| (least..=LETTERS_MAX).any(|letters| has(NameStarts(letters)));
    has(compared)
        || match compared {
            BirthDateUnordered => has(BirthDate),
            Generation => has(BirthDate) || has(BirthDateUnordered),
            PostalCodeNearly => has(PostalCode),
            NameStarts(letters) => (has(GivenName) && has(FamilyName)) || starts(letters + 1),
            AnyNameStart(letters) => {
                has(GivenName)
                    || has(FamilyName)
                    || starts(letters)
                    || (letters + 1..=LETTERS_MAX).any(|more| has(AnyNameStart(more)))
            }
            Initial => has(GivenName) || starts(1),
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
        let all = RecipeList::named("default").unwrap().without_bsn();
        let (same, different, open) = basis(all.recipes(), "default");
        let starts = NameStarts(3);
        assert_eq!(
            same,
            [FamilyName, starts, BirthDateUnordered, PostalCodeNearly, HouseNumber],
            "no parts beside the whole"
        );
        assert_eq!((different, open), (vec![Bsn], vec![]), "the BSN stands alone in its recipe");
        let (same, _, _) = basis(&[Recipe::NamesBirth, Recipe::GivenBirthPostcode], "strict");
        assert_eq!(same, [GivenName, FamilyName, BirthDate, PostalCode]);
    }

    #[test]
    fn another_address_is_different_or_unknown() {
        let met = [Recipe::BirthFamilyInitial, Recipe::BirthStarts];
        let (same, different, open) = basis(&met, "default");
        assert_eq!(
            same,
            [FamilyName, NameStarts(2), BirthDateUnordered],
            "the given name is not known to be the same"
        );
        assert_eq!(different, [Bsn, PostalCode, HouseNumber]);
        assert_eq!(open, []);
        let (same, different, open) = basis(&[Recipe::NamesBirth], "strict");
        assert_eq!(same, [GivenName, FamilyName, BirthDate]);
        assert_eq!((different, open), (vec![Bsn, PostalCode, HouseNumber], vec![]));
    }

    #[test]
    fn nothing_is_called_different_that_may_be_the_same() {
        let (same, different, open) = basis(&[Recipe::Bsn], "default");
        assert_eq!((same, different), (vec![Bsn], vec![]));
        assert_eq!(open, [GivenName, FamilyName, BirthDate, PostalCode, HouseNumber]);
        let (same, different, _) = basis(&[Recipe::NamesAgePostcode], "precise");
        assert_eq!(same, [NameStarts(4), Generation, PostalCodeNearly]);
        assert!(!different.contains(&BirthDate), "of the birth date something agrees");
        // Two letters of the names agree; the third may be what kept the other recipe from meeting.
        let met = BTreeSet::from([Recipe::BirthStarts]);
        let live = BTreeSet::from([Recipe::BirthStarts, Recipe::NamesPostcode]);
        let open = Basis::new(&met, &live).open;
        assert_eq!(open, [PostalCode].into());
        // Day and month may have changed places.
        let met = BTreeSet::from([Recipe::BirthStartHouse]);
        let live = BTreeSet::from([Recipe::BirthStartHouse, Recipe::GivenBirthHouse]);
        let open = Basis::new(&met, &live).open;
        assert_eq!(open, [GivenName].into());
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
