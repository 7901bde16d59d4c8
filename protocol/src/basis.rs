//! On what a match rests, field by field: what agrees, and what does not or is not known to the other side
//! (`docs/protocol.md` section 6.4).
//!
//! Nothing but the recipes goes in: those by which keys met, and those by which the own person has a key. So nothing comes
//! out about the other side's values that the meeting did not show. Not here: words for people.

use std::collections::BTreeSet;

use crate::recipe::Compared::{
    self, AnyNameStart, BirthDate, BirthDateUnordered, Birthday, Bsn, FamilyName, Generation, GivenName,
    HouseNumber, Initial, NameAndInitial, NameStarts, Names, PostalAreaNearly, PostalCode, PostalCodeNearly,
};
use crate::recipe::Recipe;

/// What two persons who met are known to share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// Agrees: the most that is known, so never a field and a part of it.
    pub same: BTreeSet<Compared>,
    /// Does not agree, or the other side does not have it: all else of some recipe agrees, and its keys did not meet.
    /// Whole fields only; those of a name or an address that stand here together are so together.
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
        let untouched: BTreeSet<_> =
            missed.iter().flat_map(whole_fields).filter(|field| !touched.contains(field)).collect();
        let mut basis = Self { same: strongest(&agreed), ..Self::default() };
        for group in GROUPS {
            let group: BTreeSet<_> =
                group.iter().copied().filter(|field| untouched.contains(field)).collect();
            let in_group = |compared: Compared| {
                let fields = whole(compared);
                !fields.is_empty() && fields.iter().all(|field| group.contains(field))
            };
            let alone = |recipe: &BTreeSet<Compared>| {
                recipe.iter().any(|compared| in_group(*compared))
                    && recipe.iter().all(|compared| in_group(*compared) || follows(*compared, &agreed))
            };
            let known = missed.iter().any(alone);
            if known {
                basis.different.extend(group)
            } else {
                basis.open.extend(group)
            };
        }
        basis
    }
}

/// Fields that people speak of as one thing: it is different when one of them is.
const GROUPS: [&[Compared]; 4] = [&[Bsn], &[GivenName, FamilyName], &[BirthDate], &[PostalCode, HouseNumber]];

/// The whole fields that something compared is about; none where it may be about another one, or about nothing.
const fn whole(compared: Compared) -> &'static [Compared] {
    match compared {
        Bsn => &[Bsn],
        GivenName | Initial => &[GivenName],
        FamilyName => &[FamilyName],
        Names | NameStarts(_) | NameAndInitial => &[GivenName, FamilyName],
        // Either name's; and a generation agrees with whoever's age is not known.
        AnyNameStart(_) | Generation => &[],
        BirthDate | BirthDateUnordered | Birthday => &[BirthDate],
        PostalCode | PostalCodeNearly | PostalAreaNearly => &[PostalCode],
        HouseNumber => &[HouseNumber],
    }
}

fn whole_fields(compared: &BTreeSet<Compared>) -> BTreeSet<Compared> {
    compared.iter().flat_map(|compared| whole(*compared)).copied().collect()
}

/// Whether something agrees because other things do. A name's code says nothing of its letters, and names that agree may
/// have changed places.
fn follows(compared: Compared, agreed: &BTreeSet<Compared>) -> bool {
    let has = |other: Compared| agreed.contains(&other);
    let starts =
        |least: u8| agreed.iter().any(|other| matches!(other, NameStarts(length) if *length >= least));
    let any_start =
        |least: u8| agreed.iter().any(|other| matches!(other, AnyNameStart(length) if *length >= least));
    has(compared)
        || match compared {
            BirthDateUnordered => has(BirthDate),
            Birthday => has(BirthDate) || has(BirthDateUnordered),
            Generation => has(BirthDate) || has(BirthDateUnordered),
            NameAndInitial => has(Names),
            PostalAreaNearly => has(PostalCode) || has(PostalCodeNearly),
            PostalCodeNearly => has(PostalCode),
            NameStarts(length) => starts(length),
            AnyNameStart(length) => has(GivenName) || starts(length) || any_start(length),
            Initial => has(GivenName) || starts(1),
            Bsn | GivenName | FamilyName | Names | BirthDate | PostalCode | HouseNumber => false,
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
        let all: Vec<_> = RecipeList::named("default").unwrap().without_bsn().recipes().to_vec();
        let (same, different, open) = basis(&all, "default");
        let expected = [FamilyName, Names, NameStarts(3), BirthDate, PostalCode, HouseNumber];
        assert_eq!(same, expected, "no parts beside the whole");
        assert_eq!((different, open), (vec![Bsn], vec![]), "the BSN stands alone in its recipe");
    }

    #[test]
    fn another_address_is_different_or_unknown() {
        let (same, different, open) = basis(&[Recipe::NamesBirth], "strict");
        assert_eq!(same, [GivenName, FamilyName, BirthDate]);
        assert_eq!((different, open), (vec![Bsn, PostalCode, HouseNumber], vec![]));
        let (same, different, open) = basis(&[Recipe::BirthNameInitial, Recipe::NamesBirthday], "default");
        assert_eq!(same, [Names, BirthDateUnordered]);
        assert_eq!((different, open), (vec![Bsn], vec![PostalCode, HouseNumber]));
        let (_, different, open) = basis(&[Recipe::BirthStartPostcode], "precise");
        assert_eq!((different, open), (vec![Bsn, GivenName, FamilyName], vec![HouseNumber]));
    }

    #[test]
    fn nothing_is_called_different_that_may_be_the_same() {
        let (same, different, open) = basis(&[Recipe::Bsn], "default");
        assert_eq!((same, different), (vec![Bsn], vec![]));
        assert_eq!(open, [GivenName, FamilyName, BirthDate, PostalCode, HouseNumber]);
        // A name agrees, and how the other begins; its second letter may be what kept the other recipe from meeting.
        let live = BTreeSet::from([Recipe::BirthNameInitial, Recipe::NamesPostcode]);
        assert_eq!(Basis::new(&BTreeSet::from([Recipe::BirthNameInitial]), &live).open, [PostalCode].into());
        // Day and month may have changed places.
        let live = BTreeSet::from([Recipe::BirthStartHouse, Recipe::GivenBirthHouse]);
        assert_eq!(Basis::new(&BTreeSet::from([Recipe::BirthStartHouse]), &live).open, [GivenName].into());
        // A name's code agrees, not its letters; so its house number may well be the same.
        let live = BTreeSet::from([Recipe::BirthNameInitial, Recipe::BirthStartHouse]);
        let basis = Basis::new(&BTreeSet::from([Recipe::BirthNameInitial]), &live);
        assert_eq!((basis.different, basis.open), (BTreeSet::new(), BTreeSet::from([HouseNumber])));
    }

    #[test]
    fn a_generation_is_no_birth_date() {
        let (same, different, _) = basis(&[Recipe::NamesAgePostcode], "precise");
        assert_eq!(same, [NameStarts(4), Generation, PostalCodeNearly]);
        assert_eq!(different, [Bsn, BirthDate], "by birth date, name and postal code");
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
