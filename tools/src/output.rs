//! What a command prints and how it ends: results on stdout, everything else on stderr.

use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;

/// Where results go, and in which form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints the command's one result: `value` on one line as JSON, or `text` for people.
    pub(crate) fn result(self, value: &impl Serialize, text: &str) {
        let line = if self.json {
            serde_json::to_string(value).expect("plain data with text keys always writes as JSON")
        } else {
            text.trim_end().to_owned()
        };
        // A reader that went away (`kring ... | head`) is no failure of the work.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }

    /// Says why the command did not succeed.
    pub(crate) fn failure(self, failure: &Failure) -> ExitCode {
        let (code, message) = match failure {
            Failure::Reported => return ExitCode::from(1),
            Failure::Work(message) => (1, message),
            Failure::Usage(message) => (2, message),
        };
        if self.json {
            let _ = writeln!(std::io::stdout().lock(), "{}", serde_json::json!({ "error": message }));
        }
        note(&format!("kring: {message}"));
        ExitCode::from(code)
    }
}

/// Says something on stderr.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Why a command did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The result, already printed, is that something does not hold. Exit code 1.
    Reported,
    /// The command was used wrongly. Exit code 2.
    Usage(String),
    /// The work failed. Exit code 1.
    Work(String),
}

/// Any error whose text says what to do is a failure of the work.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Work(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn errors_become_failures_of_the_work() {
        let error = "x".parse::<u8>().unwrap_err();
        assert_eq!(Failure::from(error), Failure::Work("invalid digit found in string".into()));
    }
}
