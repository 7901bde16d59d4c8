//! The recipe lists that are measured.

use kring_protocol::recipe::RecipeList;

use crate::output::Failure;

/// A recipe list and what it is called.
#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) name: String,
    pub(crate) recipes: RecipeList,
}

/// The lists that this software knows by name.
const NAMED: [&str; 3] = ["default", "precise", "strict"];

/// The lists given on the command line, each a name or recipe ids separated by commas; all named ones for none.
pub(crate) fn read(given: &[String]) -> Result<Vec<List>, Failure> {
    let names: Vec<&str> =
        if given.is_empty() { NAMED.to_vec() } else { given.iter().map(String::as_str).collect() };
    names.into_iter().map(one).collect()
}

fn one(name: &str) -> Result<List, Failure> {
    let terms: Vec<String> = name.split(',').map(|term| term.trim().to_owned()).collect();
    let recipes = RecipeList::from_terms(&terms).map_err(|problem| Failure::Usage(problem.to_string()))?;
    Ok(List { name: name.to_owned(), recipes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_named_or_written_out() {
        assert_eq!(read(&[]).unwrap().len(), 3);
        let own = read(&["birth-name-initial, names-postcode".to_owned()]).unwrap();
        assert_eq!(own[0].recipes.recipes().len(), 2);
        let refused = read(&["birth-name-initial,shoe-size".to_owned()]).unwrap_err();
        assert_eq!(refused, Failure::Usage("unknown recipe shoe-size".to_owned()));
    }
}
