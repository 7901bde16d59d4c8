//! Query parameters: known ones only, all errors at once.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

use super::{InvalidParam, Problem};

/// The parameters of a request, to be taken one by one.
#[derive(Debug)]
pub(super) struct Parameters {
    given: Vec<(String, String)>,
    errors: Vec<InvalidParam>,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(given) =
            query.map_err(|_| Problem::invalid(vec![InvalidParam::query("", "cannot be read")]))?;
        Ok(Self { given, errors: Vec::new() })
    }
}

impl Parameters {
    /// Takes the parameter, if it was given; `expected` says what it must be.
    pub(super) fn take<T: FromStr>(&mut self, name: &str, expected: &str) -> Option<T> {
        let taken: Vec<_> = self.given.extract_if(.., |(key, _)| key == name).collect();
        let [(_, value)] = taken.as_slice() else {
            if !taken.is_empty() {
                self.wrong(name, "is given more than once");
            }
            return None;
        };
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.wrong(name, expected);
        }
        parsed
    }

    pub(super) fn wrong(&mut self, name: &str, reason: &str) {
        self.errors.push(InvalidParam::query(name, reason));
    }

    /// Nothing was wrong and nothing is left over.
    pub(super) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.given) {
            let shown: String = name.chars().take(40).collect();
            self.wrong(&shown, "is not a known parameter");
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}
