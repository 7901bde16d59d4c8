//! Placeholder until the recipes land.
/// A list of recipes.
#[derive(Debug)]
pub struct RecipeList;
impl RecipeList {
    /// From a covenant's terms.
    ///
    /// # Errors
    /// Names the recipe that is not known.
    pub fn from_terms(terms: &[String]) -> Result<Self, String> {
        if terms == ["default".to_owned()] { Ok(Self) } else { Err("unknown recipe".into()) }
    }
}
